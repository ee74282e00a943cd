package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

const letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// sessionID makes the id of an example: 58 characters that look real, and that
// say what they are. The mode is live or test, the number is below ten thousand.
func sessionID(mode string, number int) string {
	return fmt.Sprintf("cs_%s_a1EXAMPLE%s%04d", mode, mark(fmt.Sprint("session ", number), 45), number)
}

// mark makes n letters and digits out of a name, always the same, 64 at most.
func mark(name string, n int) string {
	first, second := sha256.Sum256([]byte(name)), sha256.Sum256([]byte(name+"."))
	out := make([]byte, 0, n)
	for _, b := range append(first[:], second[:]...)[:n] {
		out = append(out, letters[int(b)%len(letters)])
	}
	return string(out)
}

// fileID makes a UUID out of a name, always the same.
func fileID(name string) string {
	sum := sha256.Sum256([]byte(name))
	digits := hex.EncodeToString(sum[:16])
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", digits[:8], digits[8:12], digits[13:16], digits[17:20], digits[20:])
}
