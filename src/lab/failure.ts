/** A failure of the lab; its message is printed unmodified. */
export class LabFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabFailure';
  }
}
