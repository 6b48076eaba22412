// One task, or one job, beside the lists.

import { $, button, el, find, link, redraw, setText, text } from './dom.js';
import { clock, number, secondsSince, span } from './time.js';
import { askOne, jobURL, pretty, taskURL } from './api.js';
import { canCancel, isStuck, keyOf, later, message, progressText, stateOf, statusOf, stuckBadge, times, waitedSeconds, words } from './task.js';
import { only, readView, urlOf, view } from './view.js';
import { announce } from './notice.js';
import { askCancel } from './list.js';
import { active, finished, shownTask } from './lists.js';
import { canRetry, retry, shownJob } from './jobs.js';
import { whyPending } from './stats.js';

const panel = $('panel');
const kinds = { error: 'Error', panic: 'Panic', goexit: 'Ended by runtime.Goexit', timeout: 'Timed out', cancelled: 'Cancelled', shutdown: 'Cancelled by the shutdown' };
let shown = null, full = false, opener; // full: with what lists leave out

export const openTask = () => view.job ? null : shown;

export function showPanel() {
	const id = view.job || view.task;
	if (!id) {
		if (panel.open) panel.close();
		return;
	}
	if (shown?.id !== id) {
		shown = (view.job ? shownJob : shownTask)(id) ?? null;
		full = false;
		$('panel-body').replaceChildren();
		setText($('panel-name'), 'Loading…');
	}
	if (!panel.open) {
		opener = document.activeElement;
		panel.showModal();
		$('panel-name').focus();
	}
	drawPanel();
}

export async function refreshPanel() {
	const { job, task } = view, id = job || task;
	if (!id || (full && shown?.done && !job)) return;
	const answer = await askOne(job ? 'jobs' : 'tasks', id);
	if (view.job !== job || view.task !== task) return;
	if (answer) {
		shown = !job && shown && keyOf(shown) === keyOf(answer) && shown.done && !answer.done ? shown : answer;
		full = answer.done;
		drawPanel();
	} else if (!shown) {
		setText($('panel-name'), job ? 'No such job' : 'No such task');
		$('panel-body').replaceChildren(el('p', {}, `“${id}” does not exist, or is no longer kept.`));
	}
}

// panelPatch takes in an event. Those leave out what can be long: a task that has ended is asked for.
export function panelPatch(task) {
	if (!openTask() || keyOf(task) !== keyOf(shown) || full) return;
	shown = later(shown, task);
	if (shown.done) refreshPanel().catch(() => {});
	drawPanel();
}

function part(name, data, make) {
	let box = find(`#panel [data-part=${name}]`);
	if (!box) $('panel-body').append(box = el('section', { 'data-part': name }));
	box.hidden = !data;
	if (data) redraw(box, data, make);
}

const pre = (ariaLabel, content) => el('pre', { tabIndex: 0, ariaLabel }, content);
const code = (label, content) => [el('div', { className: 'heading' }, el('h3', {}, label), copyButton('Copy ' + label.toLowerCase(), content)), pre(label, content)];

export function drawPanel() {
	const task = shown;
	if (!task) return;
	const state = stateOf(task), stuck = isStuck(task), isJob = !!view.job, more = task.links?.more ?? [];
	setText($('panel-name'), task.name);
	panel.dataset.status = state;

	part('top', [task.id, state, stuck, canCancel(task), isJob && canRetry(task), more], () => {
		const cancel = canCancel(task) ? button(`Cancel ${isJob ? 'job' : 'task'}…`, () => askCancel(panel, shown, isJob), { className: 'danger' }) : null;
		const outside = (label, href) => el('a', { className: 'button', href, target: '_blank', rel: 'noopener' }, label);
		return [
			el('p', {}, statusOf(state), stuck ? stuckBadge() : null, task.group ? text('badge', 'group ' + task.group) : null),
			el('p', { className: 'id' }, task.id),
			el('p', { className: 'buttons' }, cancel, isJob && canRetry(task) ? button('Retry now', () => retry(shown)) : null, copyButton('Copy id', task.id),
				outside('JSON', (isJob ? jobURL : taskURL)(task.id)), ...more.map((link) => outside(link.text, link.url))),
		];
	});
	part('progress', task.done ? null : [task.progress, times(task), progressText(task), message(task), whyPending(task)], () => {
		const bar = el('progress', { max: 100, ariaLabel: 'Progress' });
		if (task.progress?.percent != null) bar.value = task.progress.percent;
		return [task.status === 'running' ? bar : null, el('p', { className: 'figures' }, [...times(task), progressText(task)].filter(Boolean).join(' · ')), el('p', {}, message(task)), el('p', {}, whyPending(task))];
	});
	part('error', task.error, () => {
		const { type, message, stack } = task.error;
		return [el('h3', {}, kinds[type] ?? type), pre('Error', message), ...(stack ? code('Stack', stack) : [])];
	});
	const before = task.last_error?.message;
	part('last', before !== task.error?.message && !task.failures ? before : null, () => [el('h3', {}, 'Error of the attempt before'), pre('Error before', before)]);
	drawTimeline(task, state);
	for (const name of ['Result', 'Args', 'Output']) {
		const value = task[name.toLowerCase()];
		part(name, value === undefined ? null : [value], () => code(name, pretty(value)));
	}
	part('failures', task.failures?.length ? task.failures : null, () => [el('h3', {}, 'Attempts that failed'), el('ol', {}, ...task.failures.map((failure) =>
		step([`Attempt ${number(failure.attempt)}`, failure.at, failure.error, failure.stack ? pre('Stack', failure.stack) : ''])))]);
	part('metadata', task.metadata, () => [el('table', {}, el('caption', {}, 'Metadata'),
		el('tbody', {}, ...Object.entries(task.metadata).map(([key, value]) => el('tr', {}, el('th', { scope: 'row' }, key),
			el('td', {}, link(only({ q: `${key}=${value}` }), value))))))]);
}

function drawTimeline(task, state) {
	const started = task.started_at && task.status !== 'pending';
	const waited = waitedSeconds(task), ran = task.run_seconds ?? (started && !task.done ? secondsSince(task.started_at) : 0);
	const steps = [['Submitted', task.created_at, '']];
	if (task.not_before) steps.push([task.last_error || task.attempt > 1 ? 'Due again' : 'Due', task.not_before, progressText({ ...task, progress: undefined })]);
	if (started) steps.push(['Started', task.started_at, `waited ${span(waited, true)}`]);
	if (task.cancel) steps.push([/^tim/.test(state) ? 'Timeout' : 'Asked to end', task.cancel.requested_at, [task.cancel.by && `by ${task.cancel.by}`, task.cancel.reason].filter(Boolean).join(': ')]);
	else if (task.deadline_at && !task.done) steps.push(['Times out', task.deadline_at, `after ${span(task.timeout_seconds, true)}`]);
	if (task.done) steps.push([words[task.status], task.finished_at, started ? `ran ${span(ran, true)}` : 'never started']);
	part('timeline', steps, () => [el('h3', {}, 'Timeline'), el('ol', {}, ...steps.map(step))]);
}

const step = ([what, at, note, ...more]) => el('li', {}, el('b', {}, what), el('time', { dateTime: at, title: at }, clock(at)), text('', note), ...more);

function copyButton(label, content) {
	const copier = button(label, async () => {
		const write = navigator.clipboard?.writeText(content) ?? Promise.reject(); // there is none on plain http
		copier.textContent = await write.then(() => 'Copied', () => 'Not allowed to copy');
		announce('notice', copier.textContent);
		setTimeout(() => { copier.textContent = label; }, 2000);
	});
	return copier;
}

$('panel-close').addEventListener('click', () => panel.close());
panel.addEventListener('close', () => {
	const open = view.task || view.job;
	shown = null;
	if (open && history.state?.opens) history.back();
	else if (open) {
		history.replaceState(history.state, '', urlOf({ page: view.page }));
		readView();
	}
	if (opener?.isConnected && opener !== document.body) opener.focus({ preventScroll: true });
	else (active.section.hidden ? finished : active).heading.focus({ preventScroll: true });
});
