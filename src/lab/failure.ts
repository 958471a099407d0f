/** Something that the lab cannot do; the message is printed as it is. */
export class LabFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabFailure';
  }
}
