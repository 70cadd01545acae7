// Command watched holds `deeplimit serve` to its promise that looking does not slow
// training down. It trains the same study alone and watched by many slow clients, in
// alternation, and prints the ratio of what training took; it exits 1 if that, or what
// the server itself used, is beyond its bound.
//
//	go run ./test/acceptance/watched -clients 100 -rounds 5 bin/deeplimit
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// study trains for about three seconds on one core.
const study = `name: watched
depths: [64]
seeds: 2
data: {kind: digits, samples: 128}
train: {step: {rule: depth, value: 0.5}, stop: {loss: 1e-30, iterations: 200}}
`

func main() {
	clients := flag.Int("clients", 100, "clients that read a byte a second")
	rounds := flag.Int("rounds", 5, "times that the study is trained alone, and as often watched")
	flag.Parse()
	if flag.NArg() != 1 || *rounds < 1 {
		fmt.Fprintln(os.Stderr, "usage: watched [-clients N] [-rounds N] PROGRAM")
		os.Exit(2)
	}
	dir, err := os.MkdirTemp("", "watched")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	good, err := compare(flag.Arg(0), dir, *clients, *rounds)
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if !good {
		os.Exit(1)
	}
}

// cost is what one training of the study took.
type cost struct {
	processor float64 // seconds of the training process, user and system
	speed     float64 // iterations in a second of training
	server    float64 // processor seconds of the server for each second of the training
}

// compare trains alone and watched in turns and prints the medians. Processor time decides:
// unlike the speed it hardly depends on what else the machine does.
func compare(program, dir string, clients, rounds int) (good bool, err error) {
	file := filepath.Join(dir, "watched.yaml")
	if err := os.WriteFile(file, []byte(study), 0o644); err != nil {
		return false, err
	}
	var alone, watched []cost
	for round := range 2 * rounds {
		measured, n := &alone, 0
		if round%4 == 1 || round%4 == 2 { // alone, watched, watched, alone: a drift meets both
			measured, n = &watched, clients
		}
		c, err := train(program, file, filepath.Join(dir, fmt.Sprint("round", round)), n)
		if err != nil {
			return false, err
		}
		*measured = append(*measured, c)
	}
	processor := func(c cost) float64 { return c.processor }
	speed := func(c cost) float64 { return c.speed }
	fmt.Printf("alone:   %6.3f s of processor time, %6.1f iterations/s\n", median(alone, processor), median(alone, speed))
	fmt.Printf("watched: %6.3f s of processor time, %6.1f iterations/s, by %d slow clients\n", median(watched, processor), median(watched, speed), clients)
	fmt.Printf("watched/alone: %.3f of the speed\n", median(watched, speed)/median(alone, speed))
	good = true
	check := func(name string, got, most float64) {
		verdict := "ok"
		if !(got <= most) {
			verdict, good = "OFF", false
		}
		fmt.Printf("%-4s %-48s %.3f, want at most %g\n", verdict, name, got, most)
	}
	check("watched/alone, processor time of training", median(watched, processor)/median(alone, processor), 1.1)
	check("server, of one core", median(watched, func(c cost) float64 { return c.server }), 0.1)
	return good, nil
}

// median returns the middle one of a quantity, the higher of two.
func median(costs []cost, of func(cost) float64) float64 {
	values := make([]float64, len(costs))
	for i, c := range costs {
		values[i] = of(c)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// train runs the study into a folder of its own, watched by clients.
func train(program, file, dir string, clients int) (cost, error) {
	out := filepath.Join(dir, "watched")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return cost{}, err
	}
	var server *exec.Cmd
	var served atomic.Int64
	if clients > 0 {
		started, host, err := serve(program, dir)
		if err != nil {
			return cost{}, err
		}
		server = started
		ctx, cancel := context.WithCancel(context.Background())
		var reading sync.WaitGroup
		defer reading.Wait()
		defer cancel()
		defer server.Process.Kill() // ended below unless something failed
		for range clients {
			reading.Go(func() { watch(ctx, host, &served) })
		}
	}
	began := time.Now()
	run := exec.Command(program, "run", file, "--out", out, "--no-report")
	if output, err := run.CombinedOutput(); err != nil {
		return cost{}, fmt.Errorf("deeplimit run: %w\n%s", err, output)
	}
	c := cost{processor: used(run.ProcessState)}
	wall := time.Since(began).Seconds()
	var err error
	if c.speed, err = speedOf(out); err != nil || server == nil {
		return c, err
	}
	if err := server.Process.Signal(os.Interrupt); err != nil {
		return c, err
	}
	if err := server.Wait(); err != nil {
		return c, fmt.Errorf("deeplimit serve: %w", err)
	}
	if n := served.Load(); n < int64(clients) {
		return c, fmt.Errorf("%d of %d clients were served", n, clients)
	}
	c.server = used(server.ProcessState) / wall
	return c, nil
}

// used returns the processor time of a process that has ended, in seconds.
func used(state *os.ProcessState) float64 { return (state.UserTime() + state.SystemTime()).Seconds() }

// serve starts a server over dir and returns where it listens.
func serve(program, dir string) (cmd *exec.Cmd, host string, err error) {
	cmd = exec.Command(program, "serve", dir, "--addr", "127.0.0.1:0", "--no-token")
	cmd.Stderr = os.Stderr
	printed, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(printed).ReadString('\n')
	if err == nil {
		var address *url.URL
		if address, err = url.Parse(strings.TrimSpace(line)); err == nil {
			return cmd, address.Host, nil
		}
	}
	return nil, "", errors.Join(err, cmd.Process.Kill(), cmd.Wait())
}

// watch asks for the events of the study until there are some, reads a byte of them a
// second, and begins anew when the server drops it. It notes that it had some.
func watch(ctx context.Context, host string, served *atomic.Int64) {
	note := sync.OnceFunc(func() { served.Add(1) })
	for ctx.Err() == nil {
		if conn, err := net.Dial("tcp", host); err == nil {
			conn.(*net.TCPConn).SetReadBuffer(1)
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			_, err := io.WriteString(conn, "GET /api/studies/watched/events HTTP/1.1\r\nHost: "+host+"\r\n\r\n")
			const begins = "HTTP/1.1 200"
			buffer := make([]byte, len(begins))
			if err == nil {
				_, err = io.ReadFull(conn, buffer)
			}
			if err == nil && string(buffer) == begins {
				note()
				for err == nil {
					pause(ctx, time.Second)
					_, err = conn.Read(buffer[:1])
				}
			}
			stop()
			conn.Close()
		}
		pause(ctx, 200*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// speedOf returns the iterations that the runs of a study made in a second.
func speedOf(out string) (float64, error) {
	folders, err := runfolder.List(out)
	if err != nil {
		return 0, err
	}
	iterations, seconds := 0, 0.0
	for _, folder := range folders {
		run, err := runfolder.Open(folder)
		if err != nil {
			return 0, err
		}
		if !run.Done() {
			return 0, fmt.Errorf("%s is not finished", folder)
		}
		iterations += run.Summary.Iterations
		seconds += run.Summary.Seconds
	}
	return float64(iterations) / seconds, nil
}
