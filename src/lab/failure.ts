/** Something the lab cannot do; the message is meant for whoever asked for it, as it stands. */
export class LabFailure extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabFailure';
  }
}
