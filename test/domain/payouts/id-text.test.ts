import { expect, test } from '@jest/globals';
import { idFromText } from '../../../domain/payouts/id-text.ts';

test.each([
  ['0012345', '0012345'],
  [' BFD90JRLST ', 'BFD90JRLST'],
  ['9E72853471', '9E72853471'],
  ['="0012345"', '0012345'],
  ["'0012345", '0012345'],
  ['', null],
  ['\u00A0', null],
  ['=""', null],
  ['txn-1.5', 'txn-1.5'],
])('the id %p is %p', (text, id) => {
  // A lost zero makes an id of nobody or of somebody else.
  expect(idFromText(text)).toEqual({ id });
});

test.each(['1.2E+10', '1,2E+10', '1E+15', '1.5e10', '12345.0', '12345,00', '="1.2E+10"', '####'])(
  '%p was an id before a spreadsheet read it as a number',
  (text) => {
    // Digits are lost: whatever it matches, it matches by accident.
    expect(idFromText(text)).toHaveProperty('mangled');
  },
);
