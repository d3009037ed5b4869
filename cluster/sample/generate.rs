//! Writes the sample payments, `cluster/sample/payments.csv`, to standard output.
//!
//! The file is a function of this program alone: integer arithmetic, one fixed seed, no clock, so every machine
//! writes the same bytes and a test compares them. The figures are invented; their shape is that of card payments at
//! terminals: a few busy terminals, mostly small amounts, a rhythm of day and night, some fraud, and the edge cases an
//! import has to get right (payment number 0, customer 0, terminal 0, amounts of zero).
//!
//! `cargo run --release -p farthing-cluster --example generate-sample > cluster/sample/payments.csv`

use std::io::{self, Write};

/// Payments in the file.
const PAYMENT_COUNT: u64 = 20_000;
const CUSTOMER_COUNT: u64 = 400;
const TERMINAL_COUNT: u64 = 250;
/// Days the payments are spread over, from 2024-01-01.
const DAY_COUNT: u64 = 21;
const SEED: u64 = 0x0066_6172_7468_696e;

/// SplitMix64: a few lines, no dependency, the same sequence everywhere.
struct Generator(u64);

impl Generator {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..bound`. The bias is far below what a sample can show.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// The smaller of two draws: low numbers come twice as often, as busy terminals do.
    fn skewed_below(&mut self, bound: u64) -> u64 {
        self.below(bound).min(self.below(bound))
    }
}

/// Second of the day: the mean of three draws, so that noon is busy and midnight is quiet.
fn second_of_day(generator: &mut Generator) -> u64 {
    (generator.below(86_400) + generator.below(86_400) + generator.below(86_400)) / 3
}

/// Amount in cents: the customer's habit, spread widely above and below it.
fn amount_cents(generator: &mut Generator, customer: u64) -> u64 {
    let habit = 500 + (customer * 7_919) % 9_500;
    let percent = 10 + generator.below(100) + generator.below(100);
    habit * percent / 100
}

fn main() -> io::Result<()> {
    let mut generator = Generator(SEED);
    let mut moments: Vec<u64> = (0..PAYMENT_COUNT)
        .map(|_| generator.below(DAY_COUNT) * 86_400 + second_of_day(&mut generator))
        .collect();
    moments.sort_unstable();

    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(
        out,
        "payment_id,time,customer_id,terminal_id,amount,fraud,fraud_scenario"
    )?;
    for (payment, moment) in moments.into_iter().enumerate() {
        let customer = if payment == 0 {
            0
        } else {
            generator.below(CUSTOMER_COUNT)
        };
        let terminal = if payment == 0 {
            0
        } else {
            generator.skewed_below(TERMINAL_COUNT)
        };
        let (day, second) = (moment / 86_400, moment % 86_400);
        let mut cents = amount_cents(&mut generator, customer);
        // Three kinds of fraud: an amount far too large; a terminal taken over for a week; a stolen card.
        let scenario = if generator.below(2_000) == 0 {
            cents += 22_000;
            1
        } else if (7..14).contains(&day) && terminal % 61 == 17 {
            2
        } else if (14..19).contains(&day) && customer % 97 == 5 && generator.below(3) == 0 {
            cents *= 5;
            3
        } else {
            0
        };
        // A payment of nothing is a valid payment: a card check, a full discount.
        if generator.below(800) == 0 {
            cents = 0;
        }
        writeln!(
            out,
            "{payment},2024-01-{:02}T{:02}:{:02}:{:02}Z,{customer},{terminal},{}.{:02},{},{scenario}",
            day + 1,
            second / 3_600,
            second / 60 % 60,
            second % 60,
            cents / 100,
            cents % 100,
            u8::from(scenario != 0),
        )?;
    }
    out.flush()
}
