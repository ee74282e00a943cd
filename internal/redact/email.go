package redact

import "regexp"

// EmailPattern matches e-mail addresses.
var EmailPattern = regexp.MustCompile(`[\pL\pN\pM.!#$%&'*+/=?^_{}~-]+@(?:[\pL\pN_-]+\.)+[\pL\pN-]*\pL`)

// Emails leaves out the e-mail addresses in a text that others may read than those who
// may see the customer's.
func Emails(text string) string { return EmailPattern.ReplaceAllString(text, "(address)") }
