import { defineSearchAttributeKey } from '@temporalio/common';

export const BARE_QUEUE = 'bench-bare';
export const STATUS = defineSearchAttributeKey('LendenStatus', 'KEYWORD');
