// The last hour, as the server has counted it: in all, and by name.

import { $, el, find, nameLink, redraw, setText, show, svg, text } from './dom.js';
import { minutes, number, span } from './time.js';
import { ask, paced } from './api.js';
import { outcomes } from './task.js';
import { columns, sparkline, sum, tally, total } from './chart.js';
import { only } from './view.js';
import { stats } from './stats.js';

const width = 300, ground = 96, height = 76; // of the chart
let lastHour = null;

export const loadHistory = paced(5000, async () => {
	try {
		lastHour = await ask('history');
		drawHour();
		drawNames();
		show($('hour-trouble'), '');
	} catch (err) {
		show($('hour-trouble'), `Cannot be read: ${err.message}.`);
	}
});

function drawHour() {
	const bins = lastHour.minutes;
	const top = Math.max(0, ...bins.map(sum));
	const label = (x, y, anchor, content) => svg('text', { x, y, 'text-anchor': anchor }, content);
	const chart = find('#hour svg');
	redraw(chart, bins, () => [
		...columns(bins, { width, ground, height, gap: 1 }), svg('path', { d: `M0 ${ground + .5}h${width}` }),
		label(0, 11, 'start', top ? `to ${number(top)} a minute` : 'nothing has ended'),
		...[0, 20, 40].map((i) => label(i * width / bins.length, ground + 14, 'start', bins[i] ? minutes.format(new Date(bins[i].start)) : '')), label(width, ground + 14, 'end', 'now'),
	]);
	const all = total(bins);
	chart.setAttribute('aria-label', 'Tasks that ended in the last hour: ' + tally(all));
	for (const li of $('hour').querySelectorAll('li')) setText(find('b', li), number(all[li.dataset.status]));
	redraw(find('#hour tbody'), bins, () => bins.filter(sum).reverse().map((bin) => el('tr', {},
		el('th', { scope: 'row' }, minutes.format(new Date(bin.start))), ...outcomes.map((status) => el('td', {}, number(bin[status]))))));
}

// ---- By name

let shownAtMost = 200;
const quiet = { running: 0, pending: 0 };

function kinds() {
	const hour = lastHour?.by_name ?? {}, counts = stats?.by_name ?? {};
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
	const rows = kinds(), shown = rows.slice(0, shownAtMost);
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
	setText(find('#names .note'), `in the last hour${rows.length > shown.length ? `, ${number(shown.length)} of ${number(rows.length)}` : ''}`);
	show($('all-names'), rows.length > shown.length ? `Show all ${number(rows.length)}` : '');
}

$('all-names').addEventListener('click', () => {
	shownAtMost = Infinity;
	drawNames();
});
