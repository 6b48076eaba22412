// What is said of one task, or of a job, which has its form.

import { icon, text } from './dom.js';
import { clock, now, number, secondsSince, span } from './time.js';

export const outcomes = ['completed', 'failed', 'timed_out', 'cancelled'];
export const words = {
	pending: 'Pending', retrying: 'Retrying', running: 'Running', cancelling: 'Cancelling', timing_out: 'Timing out',
	completed: 'Completed', failed: 'Failed', timed_out: 'Timed out', cancelled: 'Cancelled',
};
const stuckAfter = 10; // seconds past its timeout, or since it was asked to end

export const readOnly = document.body.hasAttribute('data-read-only');

// An ID may be used again: the time tells them apart.
export const keyOf = (task) => `${task.created_at} ${task.id}`;

// later gives the newer of two states: answers and events may overtake each other.
export function later(a, b) {
	if (!a || !b) return a ?? b;
	const phase = (task) => task.done ? Infinity : 2 * task.attempt + (task.status === 'pending'); // between attempts it is pending
	const reported = (task) => Date.parse(task.progress?.updated_at ?? 0);
	for (const of of [phase, (task) => !!task.cancel, reported]) if (of(a) !== of(b)) return of(a) > of(b) ? a : b;
	return b;
}

export function stateOf(task) {
	if (task.status === 'pending' && task.last_error) return 'retrying';
	if (task.status !== 'running' || !task.cancel) return task.status;
	return task.deadline_at && Date.parse(task.cancel.requested_at) >= Date.parse(task.deadline_at) ? 'timing_out' : 'cancelling';
}

export function isStuck(task) {
	if (task.status !== 'running') return false;
	return [task.deadline_at, task.cancel?.requested_at].some((at) => at && secondsSince(at) > stuckAfter);
}

export function statusOf(state) {
	const symbol = { timing_out: 'cancelling', retrying: 'pending' }[state] ?? state;
	return text('status', icon(symbol), words[state]);
}

export const stuckBadge = () => text('badge stuck', icon('warning'), 'possibly stuck');

export const canCancel = (task) => !readOnly && !task.done && !task.cancel;

export function shortID(id) {
	return /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(id) ? '…' + id.slice(-8) : id;
}

function eta({ progress: p, started_at }) {
	const reported = Date.parse(p.updated_at), current = Number(p.current);
	const perUnit = (reported - Date.parse(started_at)) / current;
	return (perUnit * (Number(p.total) - current) - (now() - reported)) / 1000;
}

function attemptText(task) {
	const attempt = task.attempt + (stateOf(task) === 'retrying'); // then it is the next one that matters
	return task.max_attempts > 1 && attempt ? `attempt ${number(attempt)} of ${number(task.max_attempts)}` : '';
}

export function progressText(task) {
	const p = task.progress, parts = [attemptText(task), task.instance && `on ${task.instance}`];
	if (p && !task.done && stateOf(task) !== 'retrying') {
		const known = p.percent != null;
		if (known) parts.push(`${Math.floor(p.percent)} %`);
		if (known || p.current) parts.push(`${number(p.current)}${known ? ' of ' + number(p.total) : ''} ${p.unit ?? ''}`.trim());
		if (known && !task.cancel && p.current > 0 && p.current < p.total) {
			const left = eta(task);
			parts.push(left < 1 ? 'nearly done' : `about ${span(left)} left`);
		}
	}
	return parts.filter(Boolean).join(' · ');
}

export function message(task) {
	const asked = task.cancel && !task.done, retrying = stateOf(task) === 'retrying';
	const said = asked ? task.cancel.reason : (task.error ?? (retrying ? task.last_error : task.progress))?.message ?? '';
	const by = asked && task.cancel.by ? ` by ${task.cancel.by}` : '';
	return (asked ? `asked to end${by}: ` : retrying && said ? 'before: ' : '') + said.replace('fxtasks: ', '');
}

export const dueAt = (task) => task.not_before ?? task.created_at;

// waitedSeconds and ranSeconds are the latest attempt's, until now or its end.
export function waitedSeconds(task) {
	return task.wait_seconds ?? Math.max(0, secondsSince(dueAt(task)));
}

export function ranSeconds(task) {
	return task.run_seconds ?? (task.status === 'running' ? secondsSince(task.started_at) : 0);
}

export function times(task) {
	if (task.status === 'pending') {
		const due = dueAt(task), left = -secondsSince(due);
		return left > 0 ? [`${task.last_error ? 'again' : 'due'} in ${span(left)}`, 'at ' + clock(due)] : ['waiting ' + span(-left), 'since ' + clock(due)];
	}
	if (!task.done) return [span(ranSeconds(task)), 'since ' + clock(task.started_at)];
	return [task.run_seconds == null ? 'never started' : 'ran ' + span(task.run_seconds, true), 'ended ' + clock(task.finished_at)];
}
