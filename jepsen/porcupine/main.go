// Checks the append view of a history with Porcupine, a checker that knows nothing of Farthing:
//
//	jepsen export --porcupine history.jsonl --out porcupine.jsonl
//	go run . porcupine.jsonl
//
// Every account is a list checked alone, because linearizability is local. The format of a line, and the hash that
// stands for a list, are described in ../src/export/porcupine.rs. Exit code 0: linearizable; 1: not; 2: the file could
// not be read, or there was no verdict in time.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// emptyHash is the hash of the empty list, and prime what every element multiplies it by (FNV-1a on whole elements).
const (
	emptyHash uint64 = 14695981039346656037
	prime     uint64 = 1099511628211
)

type line struct {
	Client int64   `json:"client"`
	Key    string  `json:"key"`
	Op     string  `json:"op"`
	Call   int64   `json:"call"`
	Return int64   `json:"return"`
	Value  *uint64 `json:"value"`
	// Position is the place that an append took, from 1.
	Position *uint64 `json:"position"`
	Length   *uint64 `json:"length"`
	Hash     *uint64 `json:"hash"`
}

// list is the state of one account: how many elements were appended, and the hash of them in their order.
type list struct {
	length, hash uint64
}

// input is a read when its position is 0.
type input struct {
	position, element uint64
}

var model = porcupine.Model{
	Init: func() interface{} { return list{0, emptyHash} },
	Step: func(state, in, out interface{}) (bool, interface{}) {
		before, does := state.(list), in.(input)
		if does.position != 0 {
			return does.position == before.length+1, list{before.length + 1, (before.hash ^ does.element) * prime}
		}
		return out.(list) == before, before
	},
}

func read(source io.Reader) (map[string][]porcupine.Operation, int, error) {
	keys := map[string][]porcupine.Operation{}
	scanner := bufio.NewScanner(source)
	scanner.Buffer(make([]byte, 1<<16), 1<<20)
	number := 0
	for scanner.Scan() {
		number++
		var l line
		if err := json.Unmarshal(scanner.Bytes(), &l); err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", number, err)
		}
		operation := porcupine.Operation{ClientId: 0, Call: l.Call, Return: l.Return}
		switch {
		case l.Return < l.Call:
			return nil, 0, fmt.Errorf("line %d: returns before it was called", number)
		case l.Op == "append" && l.Value != nil && l.Position != nil && *l.Position > 0:
			operation.Input, operation.Output = input{*l.Position, *l.Value}, list{}
		case l.Op == "read" && l.Length != nil && l.Hash != nil:
			operation.Input, operation.Output = input{}, list{*l.Length, *l.Hash}
		default:
			return nil, 0, fmt.Errorf("line %d: neither an append with value and position nor a read with length and hash", number)
		}
		keys[l.Key] = append(keys[l.Key], operation)
	}
	return keys, number, scanner.Err()
}

func main() {
	timeout := flag.Duration("timeout", 5*time.Minute, "give up on one account after this time")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: porcupine [-timeout 5m] porcupine.jsonl")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	file, err := os.Open(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	defer file.Close()
	keys, total, err := read(file)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", flag.Arg(0), err)
		os.Exit(2)
	}
	if total == 0 {
		fmt.Fprintf(os.Stderr, "%s: no operation, so nothing to judge\n", flag.Arg(0))
		os.Exit(2)
	}
	os.Exit(judge(keys, total, *timeout))
}

func judge(keys map[string][]porcupine.Operation, total int, timeout time.Duration) int {
	names := make([]string, 0, len(keys))
	for key := range keys {
		names = append(names, key)
	}
	sort.Strings(names)
	started := time.Now()
	var illegal, unknown []string
	for _, key := range names {
		switch porcupine.CheckOperationsTimeout(model, keys[key], timeout) {
		case porcupine.Illegal:
			illegal = append(illegal, key)
		case porcupine.Unknown:
			unknown = append(unknown, key)
		}
	}
	fmt.Printf("%d operations on %d accounts in %.1f s\n", total, len(keys), time.Since(started).Seconds())
	switch {
	case len(illegal) > 0:
		fmt.Printf("not linearizable: %d accounts, the first is %s\n", len(illegal), illegal[0])
		return 1
	case len(unknown) > 0:
		fmt.Printf("unknown: no verdict in time for %d accounts, the first is %s\n", len(unknown), unknown[0])
		return 2
	}
	fmt.Println("linearizable")
	return 0
}
