package main

import (
	"bytes"
	"slices"
	"sync"
	"time"
)

const shownMissing = 5

// book holds what arrived, in eight bytes a record and four a user: enough to say what is missing, what came
// twice, and who met an event of theirs behind a later one. Safe for all connections at once.
type book struct {
	mutex     sync.Mutex
	latencyUs []uint32 // by record number: 0, not arrived; else 1 + µs from the topic to the acknowledgement
	latest    []uint32 // by user: the highest sequence that arrived
	tally     tally
	begun     mark
	ended     mark
	keep      bool
	bodies    [][]byte // of all requests, where they are kept
}

// mark is a moment of the steady part of a run.
type mark struct {
	at      time.Time
	arrived int
}

// The steady part: who joins, warms up or reads ahead of its first request is behind its begin, and whoever sends
// its last small requests is not yet there at its end.
const (
	steadyFrom = 0.2
	steadyTo   = 0.8
)

// tally is what a report says of one run.
type tally struct {
	Requests   int      `json:"requests"`   // acknowledged
	Accepted   int      `json:"accepted"`   // events in them, also again
	Bytes      int      `json:"bytes"`      // of their bodies
	Duplicates int      `json:"duplicates"` // of those, events that had arrived before
	Missing    int      `json:"missing"`    // of the expected
	Absent     []int    `json:"absent"`     // the numbers of the first of them
	Disordered int      `json:"disordered"` // first arrivals behind a later event of their user
	Strange    int      `json:"strange"`    // events that are none of the expected
	Refused    int      `json:"refused"`    // requests, for what they were
	Overloaded int      `json:"overloaded"` // requests, for want of capacity
	Seconds    float64  `json:"seconds"`    // from a fifth of the expected to four fifths
	Timed      int      `json:"timed"`      // events that arrived in these seconds
	Latency    *latency `json:"latency"`    // of the asked range
}

// latency of the records of a range: from when they were put on the topic to when they were acknowledged.
type latency struct {
	Records int     `json:"records"`
	P50Ms   float64 `json:"p50_ms"`
	P90Ms   float64 `json:"p90_ms"`
	P99Ms   float64 `json:"p99_ms"`
	MaxMs   float64 `json:"max_ms"`
}

// reset forgets everything, and expects the records 0 to records-1; bodies are kept only where somebody asks.
func (b *book) reset(records int, keep bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.keep, b.bodies = keep, nil
	b.begun, b.ended = mark{}, mark{}
	b.latencyUs, b.latest, b.tally = make([]uint32, records), nil, tally{Absent: []int{}}
}

// take enters the events of one request, acknowledged after the delay.
func (b *book) take(events []identity, body []byte, arrived time.Time, delay time.Duration) {
	nowUs := uint64(arrived.Add(delay).UnixMicro())
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.tally.Requests++
	b.tally.Accepted += len(events)
	b.tally.Bytes += len(body)
	if b.keep {
		b.bodies = append(b.bodies, bytes.Clone(body))
	}
	for _, event := range events {
		b.enter(event, nowUs)
	}
	here := mark{arrived, b.tally.Accepted - b.tally.Duplicates - b.tally.Strange}
	if expected := float64(len(b.latencyUs)); b.begun.at.IsZero() && float64(here.arrived) >= steadyFrom*expected {
		b.begun = here
	} else if b.ended.at.IsZero() && float64(here.arrived) >= steadyTo*expected {
		b.ended = here
	}
}

func (b *book) enter(event identity, nowUs uint64) {
	if int(event.number) >= len(b.latencyUs) {
		b.tally.Strange++
		return
	}
	if b.latencyUs[event.number] != 0 {
		b.tally.Duplicates++
		return
	}
	b.latencyUs[event.number] = 1 + uint32(min((nowUs-event.madeUs)&timeMask, 1<<32-2))
	if int(event.user) >= len(b.latest) {
		b.latest = append(b.latest, make([]uint32, int(event.user)+1-len(b.latest)+len(b.latest)/2)...)
	}
	if event.sequence < b.latest[event.user] {
		b.tally.Disordered++
		return
	}
	b.latest[event.user] = event.sequence
}

// refuse counts a request that was answered with an error.
func (b *book) refuse(overloaded bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if overloaded {
		b.tally.Overloaded++
	} else {
		b.tally.Refused++
	}
}

// report gives the counts as they stand, and the latency of the records from and up to these numbers.
func (b *book) report(from, to int) tally {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	told := b.tally
	told.Absent = []int{}
	if !b.ended.at.IsZero() {
		told.Seconds = b.ended.at.Sub(b.begun.at).Seconds()
		told.Timed = b.ended.arrived - b.begun.arrived
	}
	for number, latencyUs := range b.latencyUs {
		if latencyUs == 0 {
			told.Missing++
			if len(told.Absent) < shownMissing {
				told.Absent = append(told.Absent, number)
			}
		}
	}
	from, to = max(0, from), min(to, len(b.latencyUs))
	if from < to {
		told.Latency = latencyOf(b.latencyUs[from:to])
	}
	return told
}

// kept gives the bodies of all requests, a line each.
func (b *book) kept() []byte {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return bytes.Join(b.bodies, []byte("\n"))
}

// counts gives the counts alone: what a poll may ask for many times a second.
func (b *book) counts() tally {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.tally
}

func latencyOf(latenciesUs []uint32) *latency {
	arrived := make([]uint32, 0, len(latenciesUs))
	for _, latencyUs := range latenciesUs {
		if latencyUs != 0 {
			arrived = append(arrived, latencyUs-1)
		}
	}
	if len(arrived) == 0 {
		return nil
	}
	slices.Sort(arrived)
	at := func(share float64) float64 { // the nearest rank
		rank := int(share * float64(len(arrived)))
		return float64(arrived[min(rank, len(arrived)-1)]) / 1000
	}
	return &latency{Records: len(arrived), P50Ms: at(0.5), P90Ms: at(0.9), P99Ms: at(0.99), MaxMs: at(1)}
}
