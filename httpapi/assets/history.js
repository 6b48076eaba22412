// The last hour, as the server has counted it.

import { $, el, find, redraw, setText, show, svg } from './dom.js';
import { minutes, number } from './time.js';
import { ask, paced } from './api.js';
import { outcomes } from './task.js';
import { columns, sum, tally } from './chart.js';
import { drawNames } from './names.js';

const width = 300, ground = 96, height = 76; // of the chart
let lastHour = null;

export const namesOfHour = () => lastHour?.by_name ?? {};

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
	const total = Object.fromEntries(outcomes.map((status) => [status, bins.reduce((sum, bin) => sum + bin[status], 0)]));
	chart.setAttribute('aria-label', 'Tasks that ended in the last hour: ' + tally(total));
	for (const li of $('hour').querySelectorAll('li')) setText(find('b', li), number(total[li.dataset.status]));
	redraw(find('#hour tbody'), bins, () => bins.filter(sum).reverse().map((bin) => el('tr', {},
		el('th', { scope: 'row' }, minutes.format(new Date(bin.start))), ...outcomes.map((status) => el('td', {}, number(bin[status]))))));
}
