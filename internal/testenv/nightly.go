//go:build nightly

package testenv

// Nightly reports whether tests run in their long form. It is set by the build
// tag nightly, see make nightly.
const Nightly = true
