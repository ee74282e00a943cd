package panics

import (
	"errors"
	"strings"
	"testing"
)

func TestCatch(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	if err := Catch(func() error { return failed }); err != failed { //nolint:errorlint // the error itself is returned
		t.Errorf("got %v", err)
	}
	var index int
	for _, c := range []struct {
		name string
		f    func() error
		want string
	}{
		{"a value is not repeated", func() error { panic("A fox") }, "panic: string"},
		{"an error of the runtime", func() error { return []error{failed}[index+1] }, "panic: runtime error: index out of range [1] with length 1"},
	} {
		var got *Error
		if err := Catch(c.f); !errors.As(err, &got) || got.Error() != c.want || !strings.Contains(got.Stack, "TestCatch") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
