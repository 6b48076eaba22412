// Tables of tasks. Rows are patched in place, so that scroll, focus and selection survive.

import { $, button, el, find, isSelected, link, nameLink, redraw, setText, show, text } from './dom.js';
import { clock, number, span } from './time.js';
import { canCancel, isStuck, keyOf, later, message, progressText, ranSeconds, shortID, stateOf, statusOf, stuckBadge, times, waitedSeconds } from './task.js';
import { here, view } from './view.js';

const lingerFor = 4000, soon = 1000; // milliseconds
const cell = (className, ...children) => el('td', { className }, ...children);

// askCancel asks, by an event from e, to confirm that a task or a job shall end.
export function askCancel(e, task, isJob) {
	e.dispatchEvent(new CustomEvent('askcancel', { bubbles: true, detail: { task, isJob } }));
}

class Row {
	constructor(task, table) {
		const { id, name, group, metadata } = task; // these never change
		const ariaLabel = `${name} ${shortID(id)}`;
		this.isJob = table.kind === 'jobs';
		this.shownAt = performance.now();
		this.check = el('input', { type: 'checkbox', ariaLabel: 'Select ' + ariaLabel });
		this.name = nameLink('', name);
		this.status = text('');
		this.stuck = stuckBadge();
		this.bar = el('progress', { max: 100, ariaLabel: 'Progress of ' + ariaLabel });
		[this.figures, this.message, this.time, this.since] = ['figures', 'message', 'time', 'since'].map((name) => text(name));
		this.cancel = button('Cancel…', () => askCancel(this.cancel, this.task, this.isJob), { ariaLabel: 'Cancel ' + ariaLabel });
		const about = text('about',
			el('span', { className: 'id', title: id }, shortID(id)),
			group ? el('span', { className: 'group', title: 'group ' + group }, group) : null,
			...Object.entries(metadata ?? {}).slice(0, 3).map(([key, value]) => el('span', { title: `${key}=${value}` }, key + '=' + value)));
		this.ends = table.kind === 'finished' ? ['Waited', 'Ran', 'Ended'].map((label) => el('td', { className: 'times', 'data-label': label })) : [];
		const actions = this.isJob ? table.actions(this, ariaLabel) : [this.cancel];
		this.tr = el('tr', {},
			table.kind === 'active' ? cell('check', this.check) : null,
			cell('task', this.name, about),
			cell('state', this.status, this.stuck),
			cell('details', this.bar, this.figures, this.message),
			...(this.ends.length ? this.ends : [cell('times', this.time, this.since), cell('action', ...actions)]));
		this.set(task);
	}

	set(task) {
		if (!this.isJob) task = later(this.task, task);
		if (task.done && this.task && !this.task.done) this.endedAt = performance.now();
		this.task = task;
		this.bar.hidden = task.status !== 'running';
		const percent = task.progress?.percent;
		if (percent == null) this.bar.removeAttribute('value');
		else this.bar.value = percent;
		const cancellable = canCancel(task);
		this.cancel.hidden = !cancellable;
		this.check.disabled = !cancellable;
		if (!cancellable) this.unchoose();
		this.tick();
	}

	unchoose() {
		if (!this.check.checked) return;
		this.check.checked = false;
		this.check.dispatchEvent(new Event('change', { bubbles: true }));
	}

	tick() {
		const { task } = this, state = stateOf(task);
		if (this.tr.dataset.status !== state) {
			this.tr.dataset.status = state;
			this.status.replaceChildren(statusOf(state));
		}
		const [time, since] = times(task);
		if (this.ends.length) {
			const values = [span(waitedSeconds(task), true), task.run_seconds == null ? 'never' : span(ranSeconds(task), true), task.finished_at ? clock(task.finished_at) : ''];
			this.ends.forEach((end, i) => setText(end, values[i]));
		}
		setText(this.time, time);
		setText(this.since, since);
		show(this.message, message(task));
		show(this.figures, progressText(task));
		this.stuck.hidden = !isStuck(task);
	}

	// held says that the row stays a while: somebody is in it, or has to see how the task ended.
	held() {
		return this.tr.contains(document.activeElement) || isSelected(this.tr) ||
			(this.endedAt - this.shownAt > soon && performance.now() - this.endedAt < lingerFor);
	}
}

export class TaskTable {
	constructor(kind, actions) {
		this.kind = kind;
		this.actions = actions; // of jobs: makes a row's buttons
		this.section = $(kind);
		const part = (selector) => find(selector, this.section);
		this.heading = part('h2');
		this.note = part('.note');
		this.table = part('table');
		this.body = part('tbody');
		this.empty = part('.empty');
		this.pager = part('.pager');
		this.rows = new Map();
	}

	show(tasks, emptyText) {
		const focused = document.activeElement;
		const wanted = new Set(tasks.map(keyOf));
		for (const [key, row] of this.rows) {
			row.leaves = !wanted.has(key);
			if (row.leaves && !row.held()) this.remove(key, row);
		}
		const staying = new Set([...this.rows.values()].map((row) => row.leaves && row.tr));
		let at = this.body.firstElementChild;
		for (const task of tasks) {
			const key = keyOf(task);
			let row = this.rows.get(key);
			if (row) row.set(task);
			else this.rows.set(key, row = new Row(task, this));
			row.name.href = here({ [row.isJob ? 'job' : 'task']: task.id });
			while (staying.has(at)) at = at.nextElementSibling;
			if (row.tr === at) at = at.nextElementSibling;
			else this.body.insertBefore(row.tr, at);
		}
		if (this.body.contains(focused)) focused.focus({ preventScroll: true }); // its row may have been moved
		this.table.hidden = this.rows.size === 0;
		show(this.empty, this.rows.size === 0 ? emptyText : '');
	}

	remove(key, row) {
		row.unchoose();
		row.tr.remove();
		this.rows.delete(key);
	}

	tick() {
		for (const [key, row] of this.rows) {
			if (row.leaves && !row.held()) this.remove(key, row);
			else row.tick();
		}
	}

	// page shows where in a list we are. The browser's history keeps the way back.
	page({ shown, total, next }) {
		const trail = history.state?.trail ?? [];
		const first = trail.length * shown;
		const to = (label, page, trail) => link(here({ page }), label, { className: 'button', 'data-view': JSON.stringify(trail) });
		this.pager.hidden = !view.page && !next;
		redraw(this.pager, [location.search, trail, total, next], () => [
			total == null ? null : text('', (view.page && !first ? '' : `${number(first + 1)}–${number(Math.min(total, first + shown))} `) + `of ${number(total)}`),
			view.page ? to('First', '', []) : null,
			trail.length > 1 ? to('Previous', trail.at(-1), trail.slice(0, -1)) : null,
			next ? to('Next', next, [...trail, view.page]) : null,
		]);
	}
}

