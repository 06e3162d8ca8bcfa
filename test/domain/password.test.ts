import { expect, test } from '@jest/globals';
import { passwordProblem } from '../../domain/password.ts';

const person = { email: 'karim.rahman@example.com', name: 'Karim Rahman' };

test.each([
  ['eleven chars', 'x7#kQ2!mZ9p'],
  ['129 characters', 'ab'.repeat(64) + 'c'],
  ['eleven letters that take more bytes', 'আমারসোনারবা'],
])('%s: length is counted in characters', (_name, password) => {
  // The one rule that makes guessing hard.
  expect(passwordProblem(password, person)).toMatch(/12 to 128 characters/);
});

test.each([
  'password1234',
  'PassWord1234',
  'correct horse battery staple',
  '123456789012',
  'abcdefghijklm',
  '210987654321',
  'aaaaaaaaaaaaa',
  'abcabcabcabcab',
])('%s is guessed first', (password) => {
  // Leaked lists are tried before anything else.
  expect(passwordProblem(password, person)).toMatch(/guessed first/);
});

test.each(['karim.rahman@example.com', 'my karim.rahman@example.com!', 'Karim.Rahman.1971', '12-KARIM-rahman-34'])(
  '%s is made of what everybody knows of the person',
  (password) => {
    // Whoever knows the name knows half of it.
    expect(passwordProblem(password, person)).toMatch(/e-mail address or name/);
  },
);

test.each(['three-quiet-herons-wade', 'নদীর ধারে তিনটি সাদা বক', 'x7#kQ2!mZ9pL', 'rahman sells mangoes in june'])(
  '%s may be chosen',
  (password) => {
    // No rules of composition: length and luck are enough.
    expect(passwordProblem(password, person)).toBeNull();
  },
);
