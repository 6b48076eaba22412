// Failures in groups, the latest end first.

import { el, find, link, nameLink, redraw, setText, show, text } from './dom.js';
import { clock, number } from './time.js';
import { ask, paced } from './api.js';
import { here, only } from './view.js';

const shown = 6, bad = 'failed,timed_out';

export const loadFailures = paced(3000, async () => {
	try {
		drawFailures((await ask('failures')).failures);
	} catch (err) {
		show(find('#failures .empty'), `Cannot be read: ${err.message}.`);
	}
});

function drawFailures(groups) {
	const all = groups.reduce((sum, group) => sum + group.count, 0);
	setText(find('#failures .note'), groups.length > shown ? `${number(all)} in ${number(groups.length)} groups` : all ? number(all) : '');
	redraw(find('#failures ul'), [location.search, groups.slice(0, shown)], () => groups.slice(0, shown).map((group) => el('li', { 'data-status': 'failed' },
		nameLink(here({ task: group.last_id }), group.name),
		link(only({ status: bad, name: group.name }), `×${number(group.count)}`, { className: 'count', title: `All failures of ${group.name}` }),
		text('message', group.message.replace('fxtasks: ', '')), el('time', { className: 'since', dateTime: group.last_at, title: group.last_at }, 'last ' + clock(group.last_at)))));
	show(find('#failures .empty'), groups.length ? '' : 'No failures are kept.');
}
