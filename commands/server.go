package commands

import (
	"context"
	"fmt"
	"time"

	"github.com/superduperai/sessionbot/commands/figures"
	"github.com/superduperai/sessionbot/internal/blockkit"
)

func (d Deps) ping() Command {
	return Command{Group: "redis", Name: "ping", Summary: "whether Redis answers, and how fast", Parse: withoutArgs(d.runPing)}
}

func (d Deps) runPing(ctx context.Context, _ Request) (Answer, error) {
	took, err := d.Redis.Ping(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("ping: %w", err)
	}
	ms := float64(took) / float64(time.Millisecond)
	return Answer{
		Blocks:    blockkit.Message(blockkit.BoldLine(fmt.Sprintf("Redis answers in %.1f ms.", ms))),
		JSON:      map[string]float64{"ping_ms": ms},
		Shareable: true,
	}, nil
}

func (d Deps) memory() Command {
	return Command{Group: "redis", Name: "memory", Summary: "how much memory Redis uses", Parse: withoutArgs(d.runMemory)}
}

func (d Deps) runMemory(ctx context.Context, _ Request) (Answer, error) {
	server, err := d.Redis.Server(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("server: %w", err)
	}
	table, _ := blockkit.Table([]string{"Figure", "Value"}, figures.ServerRows(server), true)
	return Answer{Blocks: append(blockkit.Message(blockkit.BoldLine(figures.MemoryText(server))), table), JSON: server, Shareable: true}, nil
}
