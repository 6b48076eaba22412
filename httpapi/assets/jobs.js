// Durable jobs of all replicas. The database tells nobody of changes, so they are asked for again.

import { $, button, find, link, redraw, setText, show } from './dom.js';
import { number } from './time.js';
import { ask, jobURL, paced } from './api.js';
import { keyOf, outcomes, readOnly, words } from './task.js';
import { only, view } from './view.js';
import { notify } from './notice.js';
import { TaskTable } from './list.js';
import { refreshPanel } from './panel.js';

export const hasJobs = document.body.hasAttribute('data-jobs');
const pageSize = 25, onOverview = 8;
const statuses = ['running', 'pending', ...outcomes.filter((status) => status !== 'timed_out')]; // none times out
const jobs = new TaskTable('jobs', jobActions);

export const canRetry = (job) => !readOnly && (job.done || (job.status === 'pending' && !!job.not_before));

export async function retry(job) {
	try {
		await ask(jobURL(job.id) + '/retry', { method: 'POST' });
		notify(`“${job.name}” is to run again.`);
	} catch (err) {
		notify(err.status === 409 ? `“${job.name}” is running.` : `Could not retry “${job.name}”: ${err.message}.`, true);
	}
	loadJobs.now();
}

function jobActions(row, label) {
	row.retry = button('Retry', () => retry(row.task), { ariaLabel: 'Retry ' + label });
	return [row.cancel, row.retry];
}

export const loadJobs = paced(1000, async () => {
	if (!hasJobs || jobs.section.hidden) return;
	const v = view;
	const query = new URLSearchParams({ page_size: v.jobs ? pageSize : onOverview });
	if (v.jobs && v.jobs !== 'all') query.append('status', v.jobs);
	if (v.jobs && v.page) query.append('page_token', v.page);
	try {
		const list = await ask('jobs?' + query);
		if (v !== view) return;
		drawJobs(list);
		show($('jobs-trouble'), '');
		if (v.job) await refreshPanel();
	} catch (err) {
		show($('jobs-trouble'), `Jobs cannot be read: ${err.message}. Trying again every 5 s.`);
	}
});

function drawJobs(list) {
	jobs.show(list.jobs, view.jobs && view.jobs !== 'all' ? `No job is ${words[view.jobs]?.toLowerCase() ?? view.jobs}.` : 'No jobs yet.');
	for (const job of list.jobs) jobs.rows.get(keyOf(job)).retry.hidden = !canRetry(job);
	redraw(find('#jobs nav'), [location.search, list.counts], () => ['all', ...statuses].map((status) => link(only({ jobs: status }),
		status === 'all' ? 'All' : `${words[status]} ${number(list.counts[status] ?? 0)}`, { className: 'button', ariaCurrent: (view.jobs || 'all') === status ? 'page' : null })));
	if (view.jobs) jobs.page({ shown: pageSize, total: null, next: list.next_page_token });
	else jobs.pager.hidden = true;
	const all = statuses.reduce((sum, status) => sum + (list.counts[status] ?? 0), 0);
	setText(jobs.note, `${number(all)} of all replicas`);
}

export const showJobs = () => { jobs.section.hidden = !hasJobs || (view.filtered && !view.jobs); };
export const tickJobs = () => jobs.tick();
export const shownJob = (id) => [...jobs.rows.values()].find((row) => row.task.id === id)?.task;
