package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	ctx := context.Background()
	n := 100000
	if len(os.Args) > 1 { fmt.Sscan(os.Args[1], &n) }
	s, err := startRedis(ctx)
	if err != nil { panic(err) }
	defer s.stop()
	d := &dataset{oneKey: len(os.Args) > 2}
	match := "prompt:*"
	if d.oneKey { match = "session:*" }
	if err := d.add(ctx, s, 0, n); err != nil { panic(err) }
	if os.Getenv("KEEP") != "" { fmt.Println(s.addr, s.pid); select {} }
	fmt.Println("keys", d.keys, "bytes", d.size)
	t, err := measureSweeps(ctx, s, match, n, 3)
	fmt.Println(err)
	f := t.floor().Seconds()
	fmt.Printf("floor %v %v\nfirst %v %.2f\nsecond %v %.2f\nlater %v %.2f\n", t.floor1000, t.floor3000, t.first, median(t.first).Seconds()/f, t.second, median(t.second).Seconds()/f, t.later, median(t.later).Seconds()/f)
	fmt.Println(memory(os.Getpid()))
}
