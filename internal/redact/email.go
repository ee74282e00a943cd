package redact

import "regexp"

// EmailPattern matches e-mail addresses.
var EmailPattern = regexp.MustCompile(`[\pL\pN\pM.!#$%&'*+/=?^_{}~-]+@(?:[\pL\pN_-]+\.)+[\pL\pN-]*\pL`)

// Emails removes the e-mail addresses from a text whose readers may not all see the
// customer's.
func Emails(text string) string { return EmailPattern.ReplaceAllString(text, "(address)") }
