// Choosing and cancelling, one task or many.

import { $, el, find, setText, show } from './dom.js';
import { number, plural } from './time.js';
import { ask, jobURL, taskURL } from './api.js';
import { readOnly, words } from './task.js';
import { described, listQuery, view } from './view.js';
import { announce, notify } from './notice.js';
import { active, patch } from './lists.js';
import { loadJobs } from './jobs.js';

const atOnce = 4, pageSize = 100;

const chosen = () => [...active.rows.values()].filter((row) => row.check.checked).map((row) => row.task);

function showChosen() {
	const { length } = chosen();
	find('.selection').hidden = length === 0;
	setText(find('.selection span'), `${number(length)} selected`);
	setText(find('.selection .danger'), `Cancel ${plural(length, 'task')}…`);
	find('#active th input').checked = length > 0 && [...active.rows.values()].every((row) => row.check.checked || row.check.disabled);
}

function chooseAll(on) {
	for (const row of active.rows.values()) row.check.checked = on && !row.check.disabled;
	showChosen();
}

let confirmed = () => {}; // what the open dialog asks about; it gets the reason

function confirm(heading, lines, label, then) {
	confirmed = then;
	setText($('confirm-heading'), heading);
	$('confirm-list').replaceChildren(...lines);
	setText(find('#confirm .danger'), label);
	$('confirm').returnValue = $('reason').value = '';
	$('confirm').showModal();
}

function confirmCancel(tasks, areJobs) {
	const noun = areJobs ? 'job' : 'task';
	const [{ name, id }, many] = tasks, count = plural(tasks.length, noun);
	const byName = new Map();
	for (const { name } of tasks) byName.set(name, 1 + (byName.get(name) ?? 0));
	const lines = many ? [...byName].map(([name, n]) => el('li', {}, `${number(n)} × ${name}`)) : [el('li', { className: 'id' }, id)];
	confirm(many ? `Cancel ${count}?` : `Cancel “${name}”?`, lines, many ? `Cancel ${count}` : `Cancel ${noun}`, async (reason) => {
		const sum = new Sum(areJobs);
		await sum.cancel(tasks, reason);
		notify(sum.text((n) => many ? plural(n, noun) : `“${name}”`), sum.problems.length > 0);
		chooseAll(false);
	});
}

// Sum is what has become of the requests.
class Sum {
	asked = 0;
	ended = 0;
	problems = [];
	stopped = false;

	constructor(areJobs) { this.areJobs = areJobs; }

	async cancel(tasks, reason, tell = () => {}) {
		const queue = [...tasks];
		const worker = async () => {
			for (let task; !this.stopped && (task = queue.shift());) {
				try {
					const answer = await ask((this.areJobs ? jobURL : taskURL)(task.id), { method: 'DELETE', body: JSON.stringify({ reason }) });
					if (answer.cancel) this.asked++;
					else this.ended++;
					if (this.areJobs) loadJobs.now();
					else patch(answer);
				} catch (err) {
					this.problems.push(`“${task.name}”: ${err.message}${hint(err)}`);
				}
				tell();
			}
		};
		await Promise.all(Array.from({ length: atOnce }, worker));
	}

	get count() { return this.asked + this.ended + this.problems.length; }

	text(what) {
		return [
			this.asked && `Asked ${what(this.asked)} to end.`,
			this.ended && `${what(this.ended)} had ended already.`,
			this.problems.length && `Could not cancel ${what(this.problems.length)}: ${this.problems[0]}.`,
		].filter(Boolean).join(' ');
	}
}

// hint says what to do about a refusal that a proxy brings about.
export function hint(err) {
	return /cross-origin/i.test(err.message) ? ' (a proxy that changes the Host header needs this page’s address in TrustedOrigins)' : '';
}

// ---- All that match

let running = null; // the Sum of those that are being cancelled

export function offerCancelAll(v, total) {
	const offer = $('cancel-all');
	offer.hidden = readOnly || !v.filtered || total < 2 || !!running;
	setText(offer, `Cancel all ${number(total)} that match…`);
	offer.dataset.total = total;
}

$('cancel-all').addEventListener('click', () => {
	const v = view, total = Number($('cancel-all').dataset.total);
	confirm(`Cancel all ${plural(total, 'task')} that match?`, [el('li', {}, described(words))], `Cancel ${number(total)}`, (reason) => cancelMatching(v, total, reason));
});

// cancelMatching asks for page after page, and for the end of each task on it.
async function cancelMatching(v, total, reason) {
	const sum = running = new Sum();
	const tell = () => {
		$('mass').hidden = false;
		$('mass-bar').max = Math.max(total, sum.count);
		$('mass-bar').value = sum.count;
		show($('mass-text'), `Cancelling: ${number(sum.count)} of ${number(Math.max(total, sum.count))}`);
	};
	tell();
	$('cancel-all').hidden = true;
	announce('mass', 'Cancelling all that match.');
	try {
		for (const byText of v.metadata ? [false, true] : [false]) {
			for (let page = ''; !sum.stopped;) {
				const list = await ask(listQuery(v, { statuses: v.active, order: 'newest', size: pageSize, page, byText }));
				await sum.cancel(list.tasks.filter((task) => !task.cancel), reason, tell);
				page = list.next_page_token;
				if (!page) break;
			}
			if (sum.count) break; // only when no metadata matches, the text is searched
		}
	} catch (err) {
		sum.problems.push(err.message);
	}
	running = null;
	$('mass').hidden = true;
	notify((sum.stopped ? 'Stopped. ' : '') + (sum.text((n) => plural(n, 'task')) || 'Nothing was left to cancel.'), true);
}

$('mass-stop').addEventListener('click', () => { if (running) running.stopped = true; });

$('active').addEventListener('change', ({ target }) => target.closest('th') ? chooseAll(target.checked) : showChosen());
document.addEventListener('askcancel', ({ detail: { task, isJob } }) => confirmCancel([task], isJob));
find('.selection .danger').addEventListener('click', () => confirmCancel(chosen()));
find('.selection button:not(.danger)').addEventListener('click', () => chooseAll(false));

$('confirm').addEventListener('close', () => {
	if ($('confirm').returnValue === 'ok') confirmed($('reason').value.trim());
});
