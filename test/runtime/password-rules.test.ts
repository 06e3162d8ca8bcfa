import { expect, test } from '@jest/globals';
import { passwordProblem } from '../../runtime/password-rules.ts';

const person = { email: 'karim.rahman@example.com', name: 'Karim Rahman' };

test.each([
  ['eleven chars', 'x7#kQ2!mZ9p'],
  ['129 characters', 'ab'.repeat(64) + 'c'],
  ['eleven letters that take more bytes', 'আমারসোনারবা'],
])('%s: length is counted in characters', async (_name, password) => {
  // The length is the only rule that makes guessing hard.
  expect(await passwordProblem(password, person)).toMatch(/12 to 128 characters/);
});

test.each([
  'password1234',
  'PassWord1234',
  'Qwertyuiop12345',
  'Winter2026Winter2026',
  'P@ssw0rd2026!',
  'bangladesh1971',
  'amarsonarbangla71',
  'sslcommerz123',
  '123456789012',
  'abcdefghijklm',
  '210987654321',
  'aaaaaaaaaaaaa',
  'abcabcabcabcab',
])('%s is guessed first', async (password) => {
  // Attackers try lists of leaked passwords first.
  expect(await passwordProblem(password, person)).toMatch(/commonly used password/);
});

test.each(['karim.rahman@example.com', 'my karim.rahman@example.com!', 'Karim.Rahman.1971', '12-KARIM-rahman-34'])(
  '%s is made of what everybody knows of the person',
  async (password) => {
    // An attacker who knows the person's name knows half of such a password.
    expect(await passwordProblem(password, person)).toMatch(/email address or name/);
  },
);

test.each(['three-quiet-herons-wade', 'নদীর ধারে তিনটি সাদা বক', 'x7#kQ2!mZ9pL', 'rahman sells mangoes in june'])(
  '%s may be chosen',
  async (password) => {
    // There are no rules about character classes: length and an unusual choice are enough.
    expect(await passwordProblem(password, person)).toBeNull();
  },
);
