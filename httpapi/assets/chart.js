// Small charts of outcomes, in columns of one scale.

import { svg } from './dom.js';
import { minutes, number } from './time.js';
import { outcomes, words } from './task.js';

const stacked = ['failed', 'timed_out', 'cancelled', 'completed']; // from the ground up: a few failures must show among many completed

export const sum = (counts) => outcomes.reduce((sum, status) => sum + counts[status], 0);
export const total = (bins) => Object.fromEntries(outcomes.map((status) => [status, bins.reduce((sum, bin) => sum + bin[status], 0)]));
export const tally = (counts) => outcomes.map((status) => `${number(counts[status])} ${words[status].toLowerCase()}`).join(', ');

export function columns(bins, { width, ground, height, gap }) {
	const top = Math.max(1, ...bins.map(sum)), each = width / bins.length;
	return bins.map((bin, i) => {
		const group = svg('g', {}, svg('title', {}, `${minutes.format(new Date(bin.start))}: ${tally(bin)}`),
			svg('rect', { x: i * each, width: each, y: ground - height, height }));
		let y = ground;
		for (const status of stacked) {
			if (!bin[status]) continue;
			const tall = Math.max(1.5, bin[status] / top * height);
			y -= tall;
			group.append(svg('rect', { 'data-status': status, x: i * each + gap / 2, width: each - gap, y, height: tall }));
		}
		return group;
	});
}

export function sparkline(bins) {
	return svg('svg', { class: 'sparkline', role: 'img', viewBox: '0 0 84 20', 'aria-label': `Last hour: ${tally(total(bins))}. Ended by 5 minutes: ${bins.map(sum).join(', ')}` },
		...columns(bins, { width: 84, ground: 19, height: 17, gap: 1 }), svg('path', { d: 'M0 19.5h84' }));
}
