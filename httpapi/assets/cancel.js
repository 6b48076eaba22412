// Choosing and cancelling, one task or many.

import { $, el, find, setText } from './dom.js';
import { number, plural } from './time.js';
import { ask, jobURL, taskURL } from './api.js';
import { readOnly, words } from './task.js';
import { described, listQuery, view } from './view.js';
import { notify } from './notice.js';
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
	$('confirm-list').replaceChildren(...lines.map((line) => el('li', {}, line)));
	setText(find('#confirm .danger'), label);
	$('confirm').returnValue = $('reason').value = '';
	$('confirm').showModal();
}

function confirmCancel(tasks, areJobs) {
	const noun = areJobs ? 'job' : 'task', [{ name, id }, many] = tasks, count = plural(tasks.length, noun);
	const byName = Object.entries(Object.groupBy(tasks, (task) => task.name)).map(([name, of]) => `${number(of.length)} × ${name}`);
	confirm(many ? `Cancel ${count}?` : `Cancel “${name}”?`, many ? byName : [id], `Cancel ${many ? count : noun}`,
		(reason) => cancel([tasks], tasks.length, (n) => many ? plural(n, noun) : `“${name}”`, reason, areJobs ? jobURL : taskURL));
}

let stopped = null; // while tasks are being cancelled: whether to stop

// cancel asks for the end of each task on pages, and tells what has become of it.
async function cancel(pages, total, what, reason, urlOf) {
	let asked = 0, ended = 0;
	const problems = [];
	const one = async (task) => {
		try {
			const answer = await ask(urlOf(task.id), { method: 'DELETE', body: JSON.stringify({ reason }) });
			if (answer.cancel) asked++;
			else ended++;
			if (urlOf === taskURL) patch(answer);
			else loadJobs.now();
		} catch (err) {
			problems.push(`“${task.name}”: ${err.message}`);
		}
		const done = asked + ended + problems.length;
		$('mass').hidden = total === 1;
		$('mass-bar').max = Math.max(total, done);
		$('mass-bar').value = done;
		setText($('mass-text'), `Cancelling: ${number(done)} of ${number(Math.max(total, done))}`);
	};
	stopped = false;
	try {
		for await (const tasks of pages) {
			const queue = [...tasks];
			await Promise.all(Array.from({ length: atOnce }, async () => {
				while (queue.length && !stopped) await one(queue.shift());
			}));
			if (stopped) break;
		}
	} catch (err) {
		problems.push(err.message);
	}
	notify([
		stopped && 'Stopped.',
		asked && `Asked ${what(asked)} to end.`,
		ended && `${what(ended)} had ended already.`,
		problems.length && `Could not cancel ${what(problems.length)}: ${problems[0]}.`,
	].filter(Boolean).join(' ') || 'Nothing was left to cancel.', problems.length > 0);
	stopped = null;
	$('mass').hidden = true;
	chooseAll(false);
}

export function offerCancelAll(total) {
	const offer = $('cancel-all');
	offer.hidden = readOnly || !view.filtered || total < 2 || stopped !== null;
	setText(offer, `Cancel all ${number(total)} that match…`);
	offer.onclick = () => {
		const pages = matching(view);
		confirm(`Cancel all ${plural(total, 'task')} that match?`, [described(words)], `Cancel ${number(total)}`, (reason) => cancel(pages, total, (n) => plural(n, 'task'), reason, taskURL));
	};
}

// matching gives page after page of what v shows. Only when no metadata matches, the text is searched.
async function* matching(v) {
	for (const byText of v.metadata ? [false, true] : [false]) {
		let page = '', found = 0;
		do {
			const list = await ask(listQuery(v, { statuses: v.active, order: 'newest', size: pageSize, page, byText }));
			found += list.tasks.length;
			yield list.tasks.filter((task) => !task.cancel);
			page = list.next_page_token;
		} while (page);
		if (found) return;
	}
}

$('mass-stop').addEventListener('click', () => { stopped = true; });
$('active').addEventListener('change', ({ target }) => target.closest('th') ? chooseAll(target.checked) : showChosen());
document.addEventListener('askcancel', ({ detail: { task, isJob } }) => confirmCancel([task], isJob));
find('.selection .danger').addEventListener('click', () => confirmCancel(chosen()));
find('.selection button:not(.danger)').addEventListener('click', () => chooseAll(false));

$('confirm').addEventListener('close', () => {
	if ($('confirm').returnValue === 'ok') confirmed($('reason').value.trim());
});
