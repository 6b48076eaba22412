// Package heap provides a priority queue whose elements know their place in it.
package heap

import "container/heap"

// Heap is a min-heap. Each element is told its index, so that it can be removed or moved after its
// order has changed. Make one with New. It is not safe for concurrent use.
type Heap[T any] struct {
	elements elements[T]
}

// New makes an empty heap. less orders the elements. setIndex tells an element its index, which is -1
// when it leaves the heap.
func New[T any](less func(a, b T) bool, setIndex func(t T, index int)) *Heap[T] {
	return &Heap[T]{elements[T]{less: less, setIndex: setIndex}}
}

// Len returns the number of elements.
func (h *Heap[T]) Len() int { return h.elements.Len() }

// Top returns the least element. It returns false if the heap is empty.
func (h *Heap[T]) Top() (t T, ok bool) {
	if h.Len() == 0 {
		return t, false
	}
	return h.elements.list[0], true
}

// Push adds an element.
func (h *Heap[T]) Push(t T) { heap.Push(&h.elements, t) }

// Pop removes the least element and returns it. It returns false if the heap is empty.
func (h *Heap[T]) Pop() (t T, ok bool) {
	if h.Len() == 0 {
		return t, false
	}
	return heap.Pop(&h.elements).(T), true
}

// Remove removes the element with the given index.
func (h *Heap[T]) Remove(index int) { heap.Remove(&h.elements, index) }

// Fix moves the element with the given index after its order has changed.
func (h *Heap[T]) Fix(index int) { heap.Fix(&h.elements, index) }

// elements implements heap.Interface. It is a type of its own so that Heap does not show those methods.
type elements[T any] struct {
	list     []T
	less     func(a, b T) bool
	setIndex func(t T, index int)
}

func (e *elements[T]) Len() int           { return len(e.list) }
func (e *elements[T]) Less(i, j int) bool { return e.less(e.list[i], e.list[j]) }

func (e *elements[T]) Swap(i, j int) {
	e.list[i], e.list[j] = e.list[j], e.list[i]
	e.setIndex(e.list[i], i)
	e.setIndex(e.list[j], j)
}

func (e *elements[T]) Push(t any) {
	e.list = append(e.list, t.(T))
	e.setIndex(t.(T), len(e.list)-1)
}

func (e *elements[T]) Pop() any {
	last := len(e.list) - 1
	t := e.list[last]
	var none T
	e.list[last] = none // so that the heap does not keep it in memory
	e.list = e.list[:last]
	e.setIndex(t, -1)
	return t
}
