package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
)

// locator says which element is meant, as somebody would who cannot see the page: by its role and a
// part of its name, within another one. It looks anew each time, since the page changes all the
// time; what is hidden, or behind an open dialog, it does not find.
type locator struct {
	page       *page
	outer      *locator
	role, name string
}

func (p *page) get(role, name string) locator { return locator{page: p, role: role, name: name} }

func (l locator) get(role, name string) locator { return locator{l.page, &l, role, name} }

func (l locator) String() string {
	s := fmt.Sprintf("%s %q", l.role, l.name)
	if l.outer != nil {
		s += " in " + l.outer.String()
	}
	return s
}

// find gives the elements that are there now. An error means that the page changed meanwhile.
func (l locator) find() ([]string, error) {
	roots := []string{""}
	if l.outer != nil {
		var err error
		if roots, err = l.outer.find(); err != nil {
			return nil, err
		}
	}
	var found []string
	for _, root := range roots {
		nodes, err := l.page.tab.find(root, l.role)
		if err != nil {
			return nil, err
		}
		for _, node := range nodes {
			if l.isNameOf(node) {
				found = append(found, node.element)
			}
		}
	}
	return found, nil
}

// isNameOf compares names. What has none, as rows have, is known by its text.
func (l locator) isNameOf(n node) bool {
	if n.name == "" && l.name != "" {
		n.name, _ = call[string](l.page, n.element, innerText)
	}
	return strings.Contains(n.name, l.name)
}

// call calls a JavaScript function with the element as its this.
func call[T any](p *page, element, function string) (value T, err error) {
	data, err := p.tab.call(element, function)
	if err == nil {
		err = json.Unmarshal(data, &value)
	}
	return value, err
}

// try gives what the JavaScript function says of the element, if it is there now.
func try[T any](l locator, function string) (value T, ok bool) {
	found, err := l.find()
	if err != nil || len(found) == 0 {
		return value, false
	}
	value, err = call[T](l.page, found[0], function)
	return value, err == nil
}

// read waits for the element, and gives what the JavaScript function says of it.
func read[T any](l locator, function string) (value T) {
	l.page.t.Helper()
	until(l.page.t, fmt.Sprintf("there is a %v", l), func() (ok bool) {
		value, ok = try[T](l, function)
		return ok
	})
	return value
}

const innerText = `function() { return this.innerText }`

// text is the text of the element, as it is now.
func (l locator) text() string {
	text, _ := try[string](l, innerText) // none: it is not there
	return text
}

// texts gives the texts of all that are there now.
func (l locator) texts() (texts []string) {
	found, _ := l.find() // none: the page changed
	for _, element := range found {
		if text, err := call[string](l.page, element, innerText); err == nil {
			texts = append(texts, text)
		}
	}
	return texts
}

// shows waits until the element's text contains all of these.
func (l locator) shows(texts ...string) {
	l.page.t.Helper()
	for _, text := range texts {
		until(l.page.t, fmt.Sprintf("the %v shows %q", l, text), func() bool { return strings.Contains(l.text(), text) })
	}
}

func (l locator) appears() {
	l.page.t.Helper()
	until(l.page.t, fmt.Sprintf("there is a %v", l), func() bool {
		found, err := l.find()
		return err == nil && len(found) > 0
	})
}

func (l locator) isGone() bool {
	found, err := l.find()
	return err == nil && len(found) == 0
}

func (l locator) disappears() {
	l.page.t.Helper()
	until(l.page.t, fmt.Sprintf("there is no %v", l), l.isGone)
}

// click clicks where a mouse would hit the element. All in one script: rows move.
func (l locator) click() {
	l.page.t.Helper()
	until(l.page.t, fmt.Sprintf("the %v can be clicked", l), func() bool {
		clicked, _ := try[bool](l, `function() {
			this.scrollIntoView({ block: 'center', behavior: 'instant' });
			const box = this.getBoundingClientRect();
			const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
			if (this.disabled || !this.contains(hit)) return false;
			this.focus({ preventScroll: true }); // as a mouse does
			this.click();
			return true;
		}`)
		return clicked
	})
}

// fill types a text into a field, in place of what is there.
func (l locator) fill(text string) {
	l.page.t.Helper()
	read[any](l, `function() { this.focus(); this.select() }`)
	l.page.press(text)
}
