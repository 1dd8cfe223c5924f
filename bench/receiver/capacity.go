package main

import (
	"net/http"
	"sync"
	"time"
)

// behaviour is how requests are served from now on; the zero value serves all of them at once.
type behaviour struct {
	LatencyMs float64 `json:"latency_ms"` // what serving a request takes
	Capacity  int     `json:"capacity"`   // requests served at a time; 0: no limit
	Queue     int     `json:"queue"`      // requests that may wait for their turn; what is beyond is refused with 429
	Status    int     `json:"status"`     // instead: everything is answered with this error
}

// capacity serves requests as its behaviour says, which may change at any time.
type capacity struct {
	mutex   sync.Mutex
	turn    *sync.Cond
	now     behaviour
	serving int
	waiting int
}

func newCapacity() *capacity {
	c := &capacity{}
	c.turn = sync.NewCond(&c.mutex)
	return c
}

func (c *capacity) set(wanted behaviour) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = wanted
	c.turn.Broadcast()
}

// admit blocks until it is the request's turn, and gives how long serving it takes; or the status by which it is
// refused. What was admitted (status 0) must be released.
func (c *capacity) admit() (time.Duration, int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.now.Status != 0 {
		return 0, c.now.Status
	}
	if c.full() && c.waiting >= c.now.Queue {
		return 0, http.StatusTooManyRequests
	}
	c.waiting++
	for c.full() {
		c.turn.Wait()
	}
	c.waiting--
	c.serving++
	return time.Duration(c.now.LatencyMs * float64(time.Millisecond)), 0
}

func (c *capacity) release() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.serving--
	c.turn.Signal()
}

func (c *capacity) full() bool {
	return c.now.Capacity > 0 && c.serving >= c.now.Capacity
}
