// Elements. Text of tasks only ever becomes text nodes and attribute values.

export const $ = (id) => document.getElementById(id);
export const find = (selector, within = document) => within.querySelector(selector);

export function el(tag, props, ...children) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(props)) {
		if (name in e) e[name] = value;
		else e.setAttribute(name, value);
	}
	e.append(...children.filter((child) => child != null));
	return e;
}

export function svg(tag, attributes, ...children) {
	const e = document.createElementNS('http://www.w3.org/2000/svg', tag);
	for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
	e.append(...children);
	return e;
}

export const text = (className, ...children) => el('span', { className }, ...children);
export const icon = (name) => svg('svg', { class: 'icon', 'aria-hidden': 'true' }, svg('use', { href: '#i-' + name }));

// link is followed by app.js, without loading the page again.
export const link = (href, label, props) => el('a', { href, 'data-view': '', ...props }, label);
export const nameLink = (href, name) => link(href, name, { className: 'name' });

export function button(label, act, props) {
	const e = el('button', { type: 'button', ...props }, label);
	e.addEventListener('click', act);
	return e;
}

// isSelected says whether text in e is selected, to be copied. Who selects the whole page goes on.
export function isSelected(e) {
	const selection = getSelection();
	if (selection.rangeCount === 0 || selection.isCollapsed || !selection.containsNode(e, true)) return false;
	const around = selection.getRangeAt(0).commonAncestorContainer;
	return !!(around.closest ? around : around.parentElement).closest('section, dialog');
}

export function setText(e, text) {
	if (e.textContent !== text && !isSelected(e)) e.textContent = text;
}

export function show(e, text) {
	setText(e, text);
	e.hidden = text === '';
}

const drawn = new WeakMap();
const plain = (_, value) => typeof value === 'bigint' ? String(value) : value;

// redraw fills box anew if what it shows has changed. Focus and a selection in it survive.
export function redraw(box, shown, make) {
	const signature = JSON.stringify(shown, plain);
	if (drawn.get(box) === signature || isSelected(box)) return;
	drawn.set(box, signature);
	const focused = box.contains(document.activeElement) && document.activeElement;
	box.replaceChildren(...make().filter((child) => child != null));
	if (!focused) return;
	const same = [...box.querySelectorAll(focused.localName)].find((e) => e.href === focused.href && e.ariaLabel === focused.ariaLabel && e.textContent === focused.textContent);
	same?.focus({ preventScroll: true });
}
