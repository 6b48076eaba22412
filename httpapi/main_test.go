package httpapi_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	time.Local = time.FixedZone("elsewhere", 90*60) // what leaves is in UTC wherever the server is
	goleak.VerifyTestMain(m)
}
