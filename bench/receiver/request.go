package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
)

const maxBodyBytes = 1 << 20 // the larger of the two vendors' limits

var errUnreadable = errors.New("not a request that is understood here")

// request is one of HTTP/1.1, with the headers that matter here. Its bytes are valid until the next one is read.
type request struct {
	method      []byte
	path        []byte
	key         []byte // of either API's header
	contentType []byte
	body        []byte
	close       bool
	head        []byte
}

// next reads the request that follows on the connection.
func (r *request) next(reader *bufio.Reader) error {
	r.head = r.head[:0]
	length, chunked := 0, false
	r.key, r.contentType, r.close = nil, nil, false
	if err := r.readHead(reader); err != nil {
		return err
	}
	line, rest, _ := bytes.Cut(r.head, []byte("\r\n"))
	words := bytes.Fields(line)
	if len(words) != 3 {
		return errUnreadable
	}
	r.method, r.path = words[0], words[1]
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			continue
		}
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			number, err := strconv.Atoi(string(value))
			if err != nil || number < 0 || number > maxBodyBytes {
				return errUnreadable
			}
			length = number
		case is(name, "transfer-encoding"):
			chunked = true
		case is(name, "authorization"), is(name, "x-distinct-api-key"):
			r.key = value
		case is(name, "content-type"):
			r.contentType = value
		case is(name, "connection"):
			r.close = is(value, "close")
		}
	}
	if chunked {
		return r.readChunks(reader)
	}
	r.body = append(r.body[:0], make([]byte, length)...)
	_, err := io.ReadFull(reader, r.body)
	return err
}

func (r *request) readHead(reader *bufio.Reader) error {
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			return nil
		}
		r.head = append(r.head, line...)
	}
}

func (r *request) readChunks(reader *bufio.Reader) error {
	r.body = r.body[:0]
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil || len(r.body)+int(size) > maxBodyBytes {
			return errUnreadable
		}
		before := len(r.body)
		r.body = append(r.body, make([]byte, size)...)
		if _, err = io.ReadFull(reader, r.body[before:]); err != nil {
			return err
		}
		if _, err = reader.Discard(2); err != nil {
			return err
		}
		if size == 0 {
			return nil
		}
	}
}

// is compares without regard to case; name is in lower case.
func is(text []byte, name string) bool {
	return len(text) == len(name) && bytes.EqualFold(text, []byte(name))
}
