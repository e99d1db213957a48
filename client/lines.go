package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// maxLine bounds one line of an answer that comes line by line, in bytes.
const maxLine = 16 << 20

// Lines makes a call whose answer comes line by line, and gives each line to
// each as it comes. It may take as long as it takes: ctx ends it.
func (h *HTTP) Lines(ctx context.Context, method, path string, in any, each func(line []byte) error) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := h.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // compressed, lines would wait for each other
	res, err := (&http.Client{Transport: h.client.Transport}).Do(req)
	if err != nil {
		return h.gone(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // it was read, or is of no use
	if res.StatusCode >= 300 {
		b, err := io.ReadAll(io.LimitReader(res.Body, maxLine))
		if err != nil {
			return h.gone(ctx, err)
		}
		return failure(res, b)
	}
	s := bufio.NewScanner(res.Body)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if line := bytes.TrimSpace(s.Bytes()); len(line) > 0 {
			if err := each(line); err != nil {
				return err
			}
		}
	}
	if err := s.Err(); err != nil {
		return h.gone(ctx, err)
	}
	return nil
}

// gone tells a caller who gave up from a server that went away.
func (h *HTTP) gone(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ctx.Err()
	}
	return h.unreached(err)
}
