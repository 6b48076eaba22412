package fxtasks

import (
	crand "crypto/rand"
	"math/rand/v2"
	"sync"

	"github.com/google/uuid"
)

// idSource makes UUIDv7s. It draws from a ChaCha8 generator seeded by the operating system, which
// is as unguessable as the operating system's own, and cheaper to ask.
type idSource struct {
	mu     sync.Mutex // protects random
	random *rand.ChaCha8
}

func newIDSource() *idSource {
	var seed [32]byte
	crand.Read(seed[:]) // never fails: the runtime ends the process instead
	return &idSource{random: rand.NewChaCha8(seed)}
}

// Read implements io.Reader. It never fails.
func (s *idSource) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.random.Read(p)
}

func (s *idSource) next() string {
	return uuid.Must(uuid.NewV7FromReader(s)).String() // fails only when Read does
}
