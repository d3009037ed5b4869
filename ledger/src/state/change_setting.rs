//! Changing a setting of the cluster.

use crate::event::EventBody;
use crate::result::ItemResult;
use crate::setting::{FEATURE_LEVEL_MAX, SETTING_FEATURE_LEVEL, Setting};
use crate::status::SettingStatus as Status;

use super::{Broken, Overlay, View};

/// Refuses or applies one setting. Unknown settings do not get here: the entry's reader refuses them.
pub(super) fn change_setting<V: View>(
    item: &Setting,
    overlay: &mut Overlay<'_, V>,
    now: u64,
) -> Result<ItemResult, Broken> {
    let status = check(item, overlay.setting(item.setting));
    if status == Status::Applied {
        overlay.set_setting(item.setting, item.value);
        overlay.add_event(now, EventBody::SettingChanged(*item))?;
    }
    Ok(status.at(now))
}

fn check(item: &Setting, current: Option<u64>) -> Status {
    if item.reserved != 0 {
        return Status::ReservedField;
    }
    // A feature level only rises: what older levels wrote stays readable, not the other way round.
    let lowest = current.unwrap_or(1);
    let highest = u64::from(FEATURE_LEVEL_MAX);
    if item.setting == SETTING_FEATURE_LEVEL && (lowest..=highest).contains(&item.value) {
        return Status::Applied;
    }
    Status::ValueOutOfRange
}
