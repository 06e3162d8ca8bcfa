/** What a person has typed cannot be sent. The message says what to type instead, in their language. */
export class InvalidField extends Error {}
