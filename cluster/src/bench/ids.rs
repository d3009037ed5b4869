//! Transfer ids in the wanted order.

use farthing_client::ids;
use rand::Rng;

use super::options::IdOrder;

/// Makes ids that no other run makes.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransferIds {
    order: IdOrder,
    random_percent: u8,
    /// Upper 64 bits of ids that are counted.
    base: u128,
}

impl TransferIds {
    pub(super) fn new(order: IdOrder, random_percent: u8) -> Self {
        Self {
            order,
            random_percent,
            base: ids::new() >> 64 << 64,
        }
    }

    /// The id of the transfer with this number, from 0.
    pub(super) fn id(&self, number: u64, rng: &mut impl Rng) -> u128 {
        let is_random = self.random_percent > 0 && rng.random_range(0..100) < self.random_percent;
        match self.order {
            _ if is_random => random(rng),
            IdOrder::Random => random(rng),
            IdOrder::Sequential => self.base | u128::from(number),
            IdOrder::Reversed => self.base | u128::from(u64::MAX - number),
            IdOrder::Time => ids::new(),
        }
    }
}

/// Neither zero nor the largest number, which are not ids.
fn random(rng: &mut impl Rng) -> u128 {
    rng.random_range(1..u128::MAX)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn made(order: IdOrder, percent: u8) -> Vec<u128> {
        let mut rng = StdRng::seed_from_u64(1);
        let ids = TransferIds::new(order, percent);
        (0..1_000).map(|number| ids.id(number, &mut rng)).collect()
    }

    #[test]
    fn orders_are_as_named_and_ids_unique() {
        assert!(
            made(IdOrder::Sequential, 0)
                .windows(2)
                .all(|pair| pair[1] == pair[0] + 1)
        );
        assert!(
            made(IdOrder::Reversed, 0)
                .windows(2)
                .all(|pair| pair[1] == pair[0] - 1)
        );
        assert!(made(IdOrder::Time, 0).is_sorted());
        assert!(!made(IdOrder::Random, 0).is_sorted());
        for order in [
            IdOrder::Sequential,
            IdOrder::Reversed,
            IdOrder::Time,
            IdOrder::Random,
        ] {
            let mut ids = made(order, 10);
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), 1_000);
        }
    }

    #[test]
    fn a_share_of_random_ids_breaks_the_order() {
        let ids = made(IdOrder::Sequential, 10);
        let breaks = ids.windows(2).filter(|pair| pair[1] != pair[0] + 1).count();
        assert!((100..300).contains(&breaks), "{breaks}");
    }
}
