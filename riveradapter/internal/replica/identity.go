package replica

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/riverqueue/river/rivertype"

	"github.com/fxtasks/background/fxtasks"
)

// A replica's ID is River's client ID: the instance and a suffix that is new at each start. By the instance
// alone, a process that is started again at once would keep its dead predecessor's heartbeat alive.
var idRule = regexp.MustCompile(`^(.*)` + IDSuffix + `$`)

// IDSuffix is the pattern that tells the IDs of replicas from those of other River clients, whose jobs are
// left to River.
const IDSuffix = `@[0-9a-f]{16}`

const maxInstance = 64 // bytes; River allows 100 for the whole ID

func newID(instance string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return instance + "@" + hex.EncodeToString(random[:])
}

// instanceOf gives the instance of a replica's ID, and false for another River client's.
func instanceOf(id string) (string, bool) {
	parts := idRule.FindStringSubmatch(id)
	if parts == nil {
		return id, false
	}
	return parts[1], true
}

// ownerOf gives the ID of the client that runs the job, or ran it last.
func ownerOf(row *rivertype.JobRow) string {
	if len(row.AttemptedBy) == 0 {
		return ""
	}
	return row.AttemptedBy[len(row.AttemptedBy)-1]
}

// instanceName gives the name that was configured, or the host's.
func instanceName(configured string) (string, error) {
	if configured == "" {
		host, err := os.Hostname()
		if err != nil || host == "" {
			host = "replica"
		}
		host = strings.ToValidUTF8(host, "")
		for len(host) > maxInstance {
			_, size := utf8.DecodeLastRuneInString(host)
			host = host[:len(host)-size]
		}
		return host, nil
	}
	if len(configured) > maxInstance || !utf8.ValidString(configured) || strings.ContainsFunc(configured, unicode.IsControl) {
		return "", fmt.Errorf("%w: riveradapter: Config.Instance is %.80q: must be at most %d bytes of UTF-8 without control characters",
			fxtasks.ErrInvalid, configured, maxInstance)
	}
	return configured, nil
}
