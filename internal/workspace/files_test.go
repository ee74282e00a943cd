package workspace

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
)

// TestFiles: what a person uploads into a field reaches the app, which downloads it with
// its token. Nobody else does.
func TestFiles(t *testing.T) {
	t.Parallel()
	s := startFast(t, Config{})
	app := connected(t, s)
	id := modalFor(t, s, with(t, smallModal, object{"blocks": []object{{"type": "input", "block_id": "b", "label": object{"type": "plain_text", "text": "Picture"},
		"element": object{"type": "file_input", "action_id": "f", "filetypes": []string{"png"}, "max_files": 1}}}}))["id"].(string)
	upload := func(user, name, content string) (answer, file string) {
		answer = control(t, s, "POST", "file", `{"user":"`+user+`","name":"`+name+`","content":"`+base64.StdEncoding.EncodeToString([]byte(content))+`"}`)
		_, rest, _ := strings.Cut(answer, `"file_id":"`)
		file, _, _ = strings.Cut(rest, `"`)
		return answer, file
	}
	fill := func(file string) string {
		return control(t, s, "POST", "input", `{"user":"U0LEAD","view_id":"`+id+`","action_id":"f","value":["`+file+`"]}`)
	}
	for _, c := range []struct{ user, name, says string }{
		{"U0NOBODY", "a.png", "there is no user"}, {"U0LEAD", "..", "no name of a file"},
	} {
		if answer, _ := upload(c.user, c.name, "x"); !strings.Contains(answer, c.says) {
			t.Errorf("%s: %s", c.name, answer)
		}
	}
	if _, err := s.Upload("U0LEAD", "a.png", make([]byte, maxFile+1)); err == nil {
		t.Error("a file that is too large was taken")
	}
	_, others := upload("U0SUPPORT", "a.png", "x")
	_, text := upload("U0LEAD", "a.txt", "x")
	for file, says := range map[string]string{others: "there is no file", text: "not of an accepted type", "F1": "there is no file"} {
		if answer := fill(file); !strings.Contains(answer, says) {
			t.Errorf("%s: %s", file, answer)
		}
	}
	_, picture := upload("U0LEAD", `C:\\pictures\\ä fox.PNG`, "a picture")
	if answer := fill(picture); answer != `{"ok":true}` {
		t.Fatal(answer)
	}
	got, err := acked(t, app, func() error { _, _, err := s.SubmitModal("U0LEAD", id); return err })
	if err != nil || len(got) != 1 {
		t.Fatalf("%v, sent %s", err, got)
	}
	info := post(t, s, s.BotToken(), "files.info", object{"file": picture})["file"].(map[string]any)
	address := info["url_private_download"].(string)
	for _, part := range []string{`"values":{"b":{"f":{"files":[{`, `"type":"file_input"`, `"name":"ä fox.PNG"`, `"mimetype":"image/png"`, `"size":9`, address} {
		if !strings.Contains(got[0], part) {
			t.Errorf("no %s in %s", part, got[0])
		}
	}
	for token, want := range map[string]int{s.BotToken(): http.StatusOK, s.AppToken(): http.StatusNotFound, "": http.StatusNotFound} {
		status, _, body := raw(t, "GET", address, "", map[string]string{"Authorization": "Bearer " + token})
		if status != want || (body == "a picture") != (want == http.StatusOK) {
			t.Errorf("token %.5q: HTTP %d, %q", token, status, body)
		}
	}
	if answer := post(t, s, s.BotToken(), "files.info", object{"file": "F1"}); answer["error"] != "file_not_found" {
		t.Errorf("files.info: %v", answer)
	}
	s.Reset()
	if status, _, _ := raw(t, "GET", address, "", map[string]string{"Authorization": "Bearer " + s.BotToken()}); status != http.StatusNotFound {
		t.Errorf("after a reset: HTTP %d", status)
	}
	for range 2 * maxFiles {
		if _, err := s.Upload("U0LEAD", "a.png", nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.uploads.all); n != maxFiles {
		t.Errorf("%d files are kept, want %d", n, maxFiles)
	}
}
