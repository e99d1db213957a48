// Package landfall holds the nouns of Landfall, an offline-first server for
// field work: records, mutations, receipts, changes, issues, users and errors.
// It has no behaviour beyond what a noun knows about itself and imports only
// the standard library. See ARCHITECTURE.md for the way of one change.
package landfall
