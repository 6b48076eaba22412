package heap

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

type element struct{ order, index int }

func newHeap() *Heap[*element] {
	return New(
		func(a, b *element) bool { return a.order < b.order },
		func(e *element, index int) { e.index = index },
	)
}

func TestHeapAgreesWithASortedList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHeap()
		var model []*element
		order := rapid.IntRange(0, 50)
		anyElement := func(t *rapid.T) *element {
			if len(model) == 0 {
				t.Skip("the heap is empty")
			}
			return rapid.SampledFrom(model).Draw(t, "element")
		}
		forget := func(e *element) {
			if e.index != -1 {
				t.Fatalf("an element that left has the index %d", e.index)
			}
			model = slices.DeleteFunc(model, func(other *element) bool { return other == e })
		}
		least := func() int {
			return slices.MinFunc(model, func(a, b *element) int { return cmp.Compare(a.order, b.order) }).order
		}
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				e := &element{order: order.Draw(t, "order")}
				h.Push(e)
				model = append(model, e)
			},
			"pop": func(t *rapid.T) {
				e, ok := h.Pop()
				if ok != (len(model) > 0) || ok && e.order != least() {
					t.Fatalf("Pop gave %v, %v", e, ok)
				}
				if ok {
					forget(e)
				}
			},
			"remove": func(t *rapid.T) {
				e := anyElement(t)
				h.Remove(e.index)
				forget(e)
			},
			"fix": func(t *rapid.T) {
				e := anyElement(t)
				e.order = order.Draw(t, "order")
				h.Fix(e.index)
			},
			"": func(t *rapid.T) {
				if h.Len() != len(model) {
					t.Fatalf("Len is %d, want %d", h.Len(), len(model))
				}
				if top, ok := h.Top(); ok != (len(model) > 0) || ok && top.order != least() {
					t.Fatalf("Top gave %v, %v", top, ok)
				}
				for _, e := range model {
					if h.elements.list[e.index] != e {
						t.Fatalf("an element does not lie at its index %d", e.index)
					}
				}
				for _, e := range h.elements.list[h.Len():cap(h.elements.list)] {
					if e != nil {
						t.Fatal("the heap keeps an element that left")
					}
				}
			},
		})
	})
}

func BenchmarkPushPop(b *testing.B) { // at 100,000
	h := newHeap()
	for i := range 100_000 {
		h.Push(&element{order: i})
	}
	for b.Loop() {
		e, _ := h.Pop()
		e.order += 50_000
		h.Push(e)
	}
}
