package watchstate

import (
	"os"
	"testing"

	"github.com/superduperai/sessionbot/internal/redistest"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
