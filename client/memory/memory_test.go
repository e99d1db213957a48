package memory_test

import (
	"testing"

	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/clienttest"
	"github.com/landfall-sync/landfall/client/memory"
)

func TestConformance(t *testing.T) {
	clienttest.Run(t, func(*testing.T) client.Storage { return memory.New() })
}
