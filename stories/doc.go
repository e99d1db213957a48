// Package stories tells whole-system stories with the real program: one process
// is the server, every device and every person at the desk is a process of its
// own. Nothing is mocked; networks are cut by a proxy, processes by kill -9.
package stories
