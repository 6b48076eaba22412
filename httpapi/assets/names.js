// The table by name: what there is of each kind of work, and how it does.

import { $, button, el, find, nameLink, redraw, show, text } from './dom.js';
import { number, span } from './time.js';
import { only } from './view.js';
import { sparkline, sum } from './chart.js';
import { namesOfHour } from './history.js';
import { fillOptions, stats } from './stats.js';

const shownAtFirst = 8, shownAtMost = 500;
const quiet = { running: 0, pending: 0 };
let all = false;

// kinds gives them all, the busiest first.
function kinds() {
	const hour = namesOfHour(), counts = stats?.by_name ?? {};
	return [...new Set([...Object.keys(hour), ...Object.keys(counts)])].map((name) => {
		const bins = hour[name]?.minutes ?? [];
		const ended = bins.reduce((n, bin) => n + sum(bin), 0);
		const bad = bins.reduce((n, bin) => n + bin.failed + bin.timed_out, 0);
		return { name, bins, ended, bad, wait: hour[name]?.wait, run: hour[name]?.run, ...(counts[name] ?? quiet) };
	}).sort((a, b) => (b.running + b.pending + b.ended) - (a.running + a.pending + a.ended) || a.name.localeCompare(b.name));
}

const quantiles = (q) => q?.count ? [q.p50_seconds, q.p95_seconds, q.max_seconds].map((s) => span(s, true)) : ['–', '–', '–'];

function share(bad, ended) {
	if (!ended) return '–';
	const percent = 100 * bad / ended;
	return bad && percent < 1 ? '< 1 %' : `${Math.round(percent)} %`;
}

export function drawNames() {
	const rows = kinds(), shown = rows.slice(0, all ? shownAtMost : shownAtFirst);
	fillOptions($('known-names'), rows.map((row) => row.name).sort().slice(0, 200));
	const figure = (label, value, className = '') => el('td', { className, 'data-label': label }, value);
	const three = (label, q) => figure(label, text('three', ...quantiles(q).map((value) => text('', value))));
	redraw(find('#names tbody'), [location.search, shown.map(({ name, bins, running, pending, ended, bad, wait, run }) => [name, bins, running, pending, ended, bad, wait, run])], () => shown.map((row) => el('tr', {},
		el('th', { scope: 'row', className: 'task' }, nameLink(only({ name: row.name }), row.name)),
		figure('Running', number(row.running)), figure('Pending', number(row.pending)), figure('Ended', number(row.ended)),
		figure('Failed', share(row.bad, row.ended), row.bad ? 'some' : ''),
		three('Ran', row.run), three('Waited', row.wait),
		el('td', { className: 'spark' }, row.ended ? sparkline(row.bins) : null))));
	find('#names table').hidden = rows.length === 0;
	show(find('#names .empty'), rows.length ? '' : 'No task has been submitted yet.');
	const pager = find('#names .pager');
	pager.hidden = rows.length <= shownAtFirst;
	redraw(pager, [rows.length, all], () => [text('', `${number(shown.length)} of ${number(rows.length)}`), button(all ? 'Show fewer' : 'Show all', () => {
		all = !all;
		drawNames();
	})]);
}
