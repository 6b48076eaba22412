// Schedules: next and last runs, and running one now.

import { $, button, el, find, link, redraw, setText, text } from './dom.js';
import { clock, now, number, span } from './time.js';
import { ask, paced } from './api.js';
import { readOnly, stateOf, statusOf } from './task.js';
import { here } from './view.js';
import { notify } from './notice.js';
import { patch } from './lists.js';

let schedules = [];

export const loadSchedules = paced(3000, async () => {
	try {
		({ schedules } = await ask('schedules'));
	} catch {
		return; // what is known stays; the connection's state is told by the lists
	}
	$('schedules').hidden = schedules.length === 0;
	drawSchedules();
});

async function runNow(name) {
	try {
		const task = await ask(`schedules/${encodeURIComponent(name)}/run`, { method: 'POST' });
		notify(`“${name}” runs now.`);
		patch(task);
	} catch (err) {
		notify(err.status === 409 ? `“${name}” is running already.` : `Could not run “${name}”: ${err.message}.`, true);
	}
	loadSchedules.now();
}

function drawSchedules() {
	redraw(find('#schedules ul'), [location.search, schedules], () => schedules.map(({ name, group, last, runs, skipped, last_completed_at, next_at }) => el('li', {},
		el('b', { className: 'name' }, name), readOnly ? null : button('Run now', () => runNow(name), { ariaLabel: `Run now: ${name}` }),
		el('span', { className: 'since next', 'data-next': next_at ?? '' }),
		text('since', [group && `group ${group}`, `${number(runs)} run${runs === 1 ? '' : 's'}`, skipped && `${number(skipped)} skipped`].filter(Boolean).join(' · ')),
		last ? el('span', { className: 'last', 'data-status': stateOf(last) }, link(here({ task: last.id }), 'Last run'), ' ', statusOf(stateOf(last)), text('since', clock(last.finished_at ?? last.started_at ?? last.created_at)))
			: text('since last', 'has not run yet'),
		last?.done && last.status !== 'completed' ? text('since', last_completed_at ? `last completed ${clock(last_completed_at)}` : 'has never completed') : null)));
	tickSchedules();
}

export function tickSchedules() {
	for (const e of $('schedules').querySelectorAll('.next')) {
		const left = (Date.parse(e.dataset.next) - now()) / 1000;
		setText(e, !e.dataset.next ? 'not planned again' : left > 0 ? `next in ${span(left)}, ${clock(e.dataset.next)}` : 'due now');
		if (left < -1) loadSchedules();
	}
}
