// The view: what the URL says is shown.

import { clock, now } from './time.js';
import { outcomes, shortID } from './task.js';

const statuses = ['pending', 'running', ...outcomes];
const ranges = { '15m': 900, '1h': 3600, '24h': 86400 }; // seconds

export let view;

// time gives what may be a point of time in the form of the API's; "" for all else.
export const time = (text) => Number.isNaN(Date.parse(text)) ? '' : new Date(text).toISOString();

export function readView() {
	const query = new URLSearchParams(location.search);
	const get = (name) => query.get(name) ?? '';
	const status = get('status').split(',').filter((word) => statuses.includes(word));
	const q = get('q').trim().replace(/^…/, ''); // as short ids are shown
	const equals = q.indexOf('=');
	const v = {
		statuses: status, status: status.join(), q, name: get('name'), group: get('group'), range: get('range') in ranges ? get('range') : '',
		from: time(get('from')), to: time(get('to')),
		page: get('page_token'), task: get('task'), job: get('job'), jobs: get('jobs'),
		metadata: equals > 0 ? [q.slice(0, equals), q.slice(equals + 1)] : null,
	};
	v.filtered = !!(v.status || v.q || v.name || v.group || v.range || v.from || v.to);
	v.active = status.length ? status.filter((word) => !outcomes.includes(word)) : ['running', 'pending'];
	v.ended = status.length ? status.filter((word) => outcomes.includes(word)) : outcomes;
	return view = v;
}

export function urlOf(changes) {
	const { status, q, name, group, range, from, to, page, task, job, jobs } = { ...view, page: '', task: '', job: '', ...changes };
	return '?' + new URLSearchParams(Object.entries({ status, q, name, group, range, from, to, page_token: page, jobs, task, job }).filter(([, value]) => value));
}

// only gives the URL of all that has this, and here that of the present list.
export const only = (what) => '?' + new URLSearchParams(what);
export const here = (changes) => urlOf({ page: view.page, ...changes });

// listQuery: with byText, what looks like metadata is searched as text.
export function listQuery(v, { statuses, order, size, page = '', byText = false }) {
	const query = new URLSearchParams(statuses.map((status) => ['status', status]));
	if (v.metadata && !byText) query.append('metadata.' + v.metadata[0], v.metadata[1]);
	else if (v.q) query.append('q', v.q);
	if (v.name) query.append('name', v.name);
	if (v.group) query.append('group', v.group);
	const after = v.range ? new Date(now() - ranges[v.range] * 1000).toISOString() : v.from;
	if (after) query.append('created_after', after);
	if (v.to) query.append('created_before', v.to);
	query.append('order', order);
	query.append('page_size', size);
	if (page) query.append('page_token', page);
	return 'tasks?' + query;
}

export function matches(task) {
	const sought = view.q.toLowerCase();
	const has = (text) => !!text && text.toLowerCase().includes(sought);
	return (!view.status || view.statuses.includes(task.status)) && (!view.group || task.group === view.group) && (!view.name || task.name === view.name) && (!view.to || Date.parse(task.created_at) < Date.parse(view.to)) &&
		(!sought || has(task.name) || has(task.id) || has(shortID(task.id)) || has(task.error?.message) || (view.metadata && task.metadata?.[view.metadata[0]] === view.metadata[1]));
}

export function described(words) {
	return [
		view.statuses.map((status) => words[status].toLowerCase()).join(' or '), view.name && `name “${view.name}”`, view.group && `group “${view.group}”`,
		view.q && `“${view.q}”`, view.range && `the last ${view.range}`, view.from && `from ${clock(view.from)}`, view.to && `before ${clock(view.to)}`,
	].filter(Boolean).join(', ');
}
