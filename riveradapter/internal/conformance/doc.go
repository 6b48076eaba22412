// Package conformance holds the promises of riveradapter that both databases keep, as tests that run on both.
package conformance
