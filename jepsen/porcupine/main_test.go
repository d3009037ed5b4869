package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func after(elements ...uint64) (uint64, uint64) {
	hash := emptyHash
	for _, element := range elements {
		hash = (hash ^ element) * prime
	}
	return uint64(len(elements)), hash
}

func appended(call, end int, element uint64, position int) string {
	return fmt.Sprintf(`{"client":1,"key":"a","op":"append","call":%d,"return":%d,"value":%d,"position":%d}`,
		call, end, element, position)
}

func saw(call, end int, elements ...uint64) string {
	length, hash := after(elements...)
	return fmt.Sprintf(`{"client":2,"key":"a","op":"read","call":%d,"return":%d,"length":%d,"hash":%d}`,
		call, end, length, hash)
}

func verdict(t *testing.T, lines ...string) int {
	t.Helper()
	keys, total, err := read(strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		t.Fatal(err)
	}
	return judge(keys, total, time.Minute)
}

func TestReadsInOrderAreLinearizable(t *testing.T) {
	if got := verdict(t, appended(1, 2, 7, 1), saw(3, 4, 7), appended(5, 9, 8, 2), saw(6, 8, 7), saw(6, 8, 7, 8)); got != 0 {
		t.Fatalf("exit code %d for a linearizable history", got)
	}
}

func TestAStaleReadIsNot(t *testing.T) {
	if got := verdict(t, appended(1, 2, 7, 1), appended(3, 4, 8, 2), saw(5, 6, 7)); got != 1 {
		t.Fatalf("exit code %d for a stale read", got)
	}
}

func TestOtherOrdersOfAppendsAreNot(t *testing.T) {
	if got := verdict(t, appended(1, 2, 7, 2), appended(3, 4, 8, 1)); got != 1 {
		t.Fatalf("exit code %d for appends against real time", got)
	}
}

func TestRubbishIsAnError(t *testing.T) {
	for _, line := range []string{"{", `{"op":"read","call":1,"return":2}`, appended(2, 1, 7, 1)} {
		if _, _, err := read(strings.NewReader(line)); err == nil {
			t.Fatalf("%s was read", line)
		}
	}
}
