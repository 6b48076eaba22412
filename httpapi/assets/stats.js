// Counts by status, the use of the limits, and the state of the manager.

import { $, el, link, redraw, setText, show } from './dom.js';
import { now, number, span } from './time.js';
import { ask, paced } from './api.js';
import { only } from './view.js';
import { announce } from './notice.js';
import { contact, noteInstance, trouble } from './connection.js';
import { reload } from './lists.js';
import { drawNames } from './history.js';

const title = document.title;
export let stats = null;

export const loadStats = paced(1000, async () => {
	try {
		showStats(await ask('stats'));
		contact();
	} catch (err) {
		trouble(err);
	}
});

const use = (n, limit) => `${number(n)}${limit > 0 ? ' of ' + number(limit) : ''}`;

function showUse(s, status, none) {
	const limit = s['max_' + status], meter = $('meter-' + status);
	meter.hidden = limit <= 0;
	meter.max = Math.max(1, limit);
	meter.value = s[status];
	setText($('use-' + status), use(s[status], limit) + (limit > 0 ? '' : ', ' + none));
}

// showStats takes in an answer or an event. Events leave by_name out.
export function showStats(s) {
	const before = stats;
	stats = { ...s, by_name: s.by_name ?? before?.by_name ?? {} };
	noteInstance(s.instance);
	const counts = { '': s.submitted, ...s };
	for (const link of $('tiles').children) setText(link.firstElementChild, number(counts[link.dataset.status]));
	showUse(s, 'running', 'no limit');
	showUse(s, 'pending', s.max_pending < 0 ? 'none may wait' : 'no limit');
	setText($('use-oldest'), s.pending ? span(s.oldest_pending_seconds) : 'none');
	for (const what of ['rejected', 'retried', 'waiting']) {
		$(what).hidden = !s[what];
		setText($('use-' + what), number(s[what]));
	}
	show($('draining'), s.state === 'open' ? '' : s.state === 'draining'
		? `Draining: the application is shutting down. No new tasks are taken; ${number(s.running + s.pending)} still to end.`
		: `Stopped: no tasks are taken any more. ${number(s.running)} did not end.`);
	document.title = (s.running ? `${number(s.running)} running · ` : '') + title;
	drawGroups();
	if (s.by_name) drawNames();
	if (!before || before.failed !== s.failed || before.timed_out !== s.timed_out || before.state !== s.state) {
		announce('counts', `${number(s.running)} running, ${number(s.pending)} pending, ${number(s.failed)} failed, ${number(s.timed_out)} timed out${s.state === 'open' ? '' : ', ' + s.state}.`);
	}
	if (before && (!before.submitted !== !s.submitted || before.stuck !== s.stuck)) reload(); // other words, or another order
}

function drawGroups() {
	const groups = Object.entries(stats.by_group).sort(([a], [b]) => a.localeCompare(b));
	$('groups').hidden = groups.length === 0;
	const meter = (n, limit, label) => limit > 0 ? el('progress', { max: limit, value: n, ariaLabel: label }) : null;
	redraw($('groups').querySelector('tbody'), groups, () => groups.map(([name, g]) => el('tr', {},
		el('th', { scope: 'row' }, link(only({ group: name }), name, { className: 'name', title: name })),
		el('td', {}, use(g.running, g.max_running), meter(g.running, g.max_running, `Running in ${name}, of the limit`)),
		el('td', {}, use(g.pending, g.max_pending), meter(g.pending, g.max_pending, `Pending in ${name}, of the limit`)))));
}

export function whyPending(task) {
	if (task.status !== 'pending' || !stats || (task.not_before && Date.parse(task.not_before) > now())) return '';
	const group = stats.by_group[task.group];
	if (group?.max_running > 0 && group.running >= group.max_running) return `Group “${task.group}” runs ${use(group.running, group.max_running)}: all that it may.`;
	if (stats.max_running > 0 && stats.running - stats.waiting >= stats.max_running) return `${use(stats.running, stats.max_running)} run: all that may.`;
	return '';
}
