package main

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// endpoint is one of the two vendors' that the bench uses, with the answers of its page.
type endpoint struct {
	path         string
	key          string // as it stands in its header
	array        bool
	acknowledged []byte
	noKey        []byte
	unreadable   []byte
}

func endpointsFor(clientKey, distinctKey string) []*endpoint {
	return []*endpoint{
		{
			path:         "/api/client/events",
			key:          "Bearer " + clientKey,
			array:        true,
			acknowledged: []byte("HTTP/1.1 204 No Content\r\n\r\n"),
			noKey:        answer("401 Unauthorized", `{"status":"error","error":"Authorization error.","code":1000}`),
			unreadable:   answer("422 Unprocessable Entity", `{"status":"error","error":"no event id of the bench"}`),
		},
		{
			path: "/api/v1/user/analytics",
			key:  distinctKey,
			acknowledged: answer("200 OK",
				`{"statusCode": 200, "message": "User analytics added successfully.", "data": null}`),
			noKey:      answer("401 Unauthorized", `{"statusCode": 401, "message": "Unauthorized.", "data": null}`),
			unreadable: answer("400 Bad Request", `{"statusCode": 400, "message": "no event id of the bench", "data": null}`),
		},
	}
}

var (
	notFound = answer("404 Not Found", "{}")
	jsonType = []byte("application/json")
)

func answer(status, body string) []byte {
	return []byte(fmt.Sprintf("HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
		status, len(body), body))
}

// serve gives the answer to a request, after the time that serving it takes. `found` is room for its events.
func (s *server) serve(e *endpoint, r *request, found []identity) ([]byte, []identity) {
	if string(r.key) != e.key {
		s.book.refuse(false)
		return e.noKey, found
	}
	found, good := identitiesIn(r.body, found[:0])
	if !good || len(found) == 0 || !e.fits(r, len(found)) {
		s.book.refuse(false)
		return e.unreadable, found
	}
	delay, status := s.capacity.admit()
	if status != 0 {
		s.book.refuse(true)
		return answer(fmt.Sprintf("%d %s", status, http.StatusText(status)), "{}"), found
	}
	s.book.take(found, r.body, time.Now(), delay)
	if delay > 0 {
		time.Sleep(delay)
	}
	s.capacity.release()
	return e.acknowledged, found
}

// fits says whether the body is an array, or one object, as the endpoint wants it.
func (e *endpoint) fits(r *request, events int) bool {
	body := bytes.TrimSpace(r.body)
	if !bytes.HasPrefix(r.contentType, jsonType) {
		return false
	}
	if e.array {
		return body[0] == '[' && body[len(body)-1] == ']'
	}
	return events == 1 && body[0] == '{' && body[len(body)-1] == '}'
}
