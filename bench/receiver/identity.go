package main

import "bytes"

// identity is what an event's id says. It is written as a UUID's digits, so that it looks to every client like
// the ids they have: NNNNNNNN-UUUU-4UUU-aSSS-STTTTTTTTTTT, or, behind a time that is not read here,
// MMMMMMMM-MMMM-7NNN-aNNN-NUUUUUUUSSSS (bench/identity.py writes it).
type identity struct {
	number   uint32 // of the record among all that were put on the topic, from 0
	user     uint32 // from 0
	sequence uint32 // of the record among those of its user, from 1
	madeUs   uint64 // when it was put on the topic: microseconds since 1970, its lowest 44 bits
}

const (
	idLength   = 36
	timeDigits = 11
	timeMask   = 1<<(4*timeDigits) - 1
)

var idField = []byte(`"event_id"`)

// identitiesIn appends the ids of all events of a body in their order; false where one cannot be read.
func identitiesIn(body []byte, found []identity) ([]identity, bool) {
	for {
		at := bytes.Index(body, idField)
		if at < 0 {
			return found, true
		}
		body = body[at+len(idField):]
		start := 0
		for start < len(body) && (body[start] == ' ' || body[start] == ':') {
			start++
		}
		if len(body) < start+idLength+2 || body[start] != '"' || body[start+idLength+1] != '"' {
			return found, false
		}
		one, good := read(body[start+1 : start+1+idLength])
		if !good {
			return found, false
		}
		found = append(found, one)
		body = body[start+idLength+2:]
	}
}

func read(text []byte) (identity, bool) {
	if text[8] != '-' || text[13] != '-' || text[18] != '-' || text[19] != 'a' || text[23] != '-' {
		return identity{}, false
	}
	bad := false
	digits := func(value uint64, part []byte) uint64 {
		for _, character := range part {
			digit := digitOf[character]
			bad = bad || digit > 15
			value = value<<4 | uint64(digit&15)
		}
		return value
	}
	if text[14] == '7' {
		digits(digits(0, text[0:8]), text[9:13])
		one := identity{
			number:   uint32(digits(digits(digits(0, text[15:18]), text[20:23]), text[24:25])),
			user:     uint32(digits(0, text[25:32])),
			sequence: uint32(digits(0, text[32:36])),
		}
		return one, !bad && one.sequence > 0
	}
	one := identity{
		number:   uint32(digits(0, text[0:8])),
		user:     uint32(digits(digits(0, text[9:13]), text[15:18])),
		sequence: uint32(digits(digits(0, text[20:23]), text[24:25])),
		madeUs:   digits(0, text[25:36]),
	}
	return one, !bad && text[14] == '4' && one.sequence > 0
}

var digitOf = func() (table [256]uint8) {
	for character := range table {
		table[character] = 255
	}
	for value, character := range []byte("0123456789abcdef") {
		table[character] = uint8(value)
	}
	return table
}()
