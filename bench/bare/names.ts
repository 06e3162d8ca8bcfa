import { defineSearchAttributeKey } from '@temporalio/common';

export const BARE_QUEUE = 'bench-bare';
export const WAITS_FOR = defineSearchAttributeKey('LendenWaitsFor', 'KEYWORD');
export const STATUS = defineSearchAttributeKey('LendenStatus', 'KEYWORD');
